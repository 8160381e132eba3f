import type { IncomingMessage } from 'node:http'
import { isObject } from './option-checks.js'

const MAX_BODY_BYTES = 16 * 1024

/** A request to an endpoint. Its body is undefined if it was too long. */
export interface ReceivedRequest {
  method: string
  path: string
  query: Readonly<Record<string, string>>
  body: Buffer | undefined
}

/** A request that the sandbox refuses, with the HTTP status for it. */
export class HttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Reads a body to its end. Returns `undefined` if it was too long. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  return bytes <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined
}

/** Returns the fields of a JSON body, if any, whatever its Content-Type, so that a bare `curl -d` works. */
export function parseFields(body: Buffer | undefined): Record<string, unknown> {
  if (body === undefined) throw new HttpError(413, `the body is longer than ${MAX_BODY_BYTES} bytes`)
  const text = body.toString('utf8').trim()
  if (text === '') return {}
  const value = parseJson(text)
  if (!isObject(value)) throw new HttpError(400, 'the body must be a JSON object')
  return { ...value }
}

/** Returns the fields of a JSON body; `undefined` for anything else, even an empty body. */
export function jsonFields(body: Buffer | undefined): Record<string, unknown> | undefined {
  try {
    return body?.toString('utf8').trim() ? parseFields(body) : undefined
  } catch (error) {
    if (error instanceof HttpError) return undefined
    throw error
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HttpError(400, 'the body is not JSON')
  }
}
