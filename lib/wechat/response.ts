import type { WeappError } from '../errors.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import { errorFromErrcode, type Meanings } from './errcodes.js'
import { parseLenientJson } from './lenient-json.js'
import { invalidResponse } from './transport.js'

const NUMBER = /^-?\d{1,15}$/

/** A platform's name, for the log, and the names of the fields in which it reports a failure. */
export interface Dialect {
  readonly platform: string
  readonly errcode: string
  readonly errmsg: string
}

export const WECHAT_DIALECT: Dialect = { platform: 'WeChat', errcode: 'errcode', errmsg: 'errmsg' }

/**
 * Returns what the errcode of a response means, by `meanings` or else by those that all APIs share; undefined
 * where it is absent or 0. Throws `ERR_WECHAT_ANSWER_INVALID` for one that is no number.
 */
export function refusalIn(fields: JsonObject, meanings: Meanings, dialect: Dialect): WeappError | undefined {
  const { [dialect.errcode]: given, [dialect.errmsg]: errmsg } = fields
  const errcode = given === undefined ? 0 : asNumber(given)
  if (errcode === 0) return undefined
  if (errcode === undefined) throw invalidResponse(`an ${dialect.errcode} that is not a number`)
  return errorFromErrcode(errcode, errmsg, meanings, dialect.platform)
}

/**
 * Returns the fields of a response, unchecked: some have come and gone without notice, and numbers have come
 * as strings. WeChat labels its JSON text/plain, so the content type is ignored. Throws
 * `ERR_WECHAT_ANSWER_INVALID` for anything but a JSON object.
 */
export function parseResponse(body: string): JsonObject {
  let value: unknown
  try {
    value = parseLenientJson(body, 'everywhere')
  } catch {
    throw invalidResponse('a response that is not JSON')
  }
  if (isJsonObject(value)) return value
  throw invalidResponse('a response that is not an object')
}

/** Returns a number, also one sent as a string; undefined for anything else. */
export function asNumber(value: unknown): number | undefined {
  if (typeof value === 'string' && NUMBER.test(value)) return Number(value)
  return typeof value === 'number' ? value : undefined
}

/** Whether a value is a non-empty string. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
