import { WeappError } from '../errors.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { WireRequest } from './protocol.js'

/** Returns the body as a JSON object. Throws `ERR_BODY_INVALID` for anything else, or without a body. */
export function jsonObject({ body }: WireRequest): JsonObject {
  if (isJsonObject(body)) return body
  throw new WeappError('ERR_BODY_INVALID', 'The body must be a JSON object.')
}

/** Returns a string field; undefined when it is absent or null. Throws `ERR_REQUEST_INVALID` otherwise. */
export function textField(fields: JsonObject, name: string): string | undefined {
  const value = fields[name] ?? undefined
  if (value !== undefined && typeof value !== 'string') {
    throw new WeappError('ERR_REQUEST_INVALID', `"${name}" must be a string.`)
  }
  return value
}
