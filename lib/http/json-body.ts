import type { IncomingMessage, ServerResponse } from 'node:http'
import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import { isJsonObject } from '../json-object.js'
import { checkShape } from './body-shape.js'
import { jsonInBytes, jsonInSent, jsonInText, MOST_BYTES, notJson, tooLarge } from './json-text.js'

/** How long a body may take to arrive, in milliseconds. */
export const BODY_TIMEOUT_MS = 20_000

type RequestWithBody = IncomingMessage & { body?: unknown }

/**
 * Returns the JSON body of a request, whatever its content type: mini-programs have sent JSON as text and as
 * a form for years. A body that a host or a parser in front has left is taken as it is; bytes and strings are
 * parsed. Returns undefined without a body. Throws `ERR_BODY_INVALID`, `ERR_BODY_TOO_LARGE` and
 * `ERR_BODY_TIMEOUT`.
 */
export async function readJsonBody(
  req: RequestWithBody,
  res: ServerResponse,
  timeoutMs: number = BODY_TIMEOUT_MS,
): Promise<unknown> {
  const left = await leftBody(req)
  const isToRead = isEmpty(left) && req.readable
  const body = isToRead ? await withinDeadline(received(req), timeoutMs, () => giveUp(req, res)) : left
  checkShape(body, MOST_BYTES)
  if (isToRead) req.body = body
  return isToRead || hasBytes(req) || !isEmpty(body) ? body : undefined
}

/** Whether a host or a parser in front has left something, be it something that cannot be read. */
export function hasLeftBody(req: RequestWithBody): boolean {
  try {
    return req.body !== undefined
  } catch {
    return true
  }
}

/** Returns the body that a host or a parser in front has left; bytes and strings are parsed as JSON. */
export async function leftBody(req: RequestWithBody): Promise<unknown> {
  const left = bodyOn(req)
  if (typeof left === 'string') return jsonInText(left)
  const bytes = left instanceof ArrayBuffer ? new Uint8Array(left) : left
  // A parser that has read the stream has inflated it, too; a host that set the bytes beside it has not.
  if (ArrayBuffer.isView(bytes)) {
    return req.readable ? jsonInSent(bytesOf(bytes), req.headers) : jsonInBytes(bytesOf(bytes), req.headers)
  }
  if (isTornApart(left)) {
    throw new WeappError(
      'ERR_BODY_INVALID',
      'The body is JSON that a form parser, such as express.urlencoded, has parsed as a form. Send it as application/json, or mount that parser after loginRouter.',
    )
  }
  return left
}

/** Some hosts parse on first access, and throw then. */
function bodyOn(req: RequestWithBody): unknown {
  try {
    return req.body
  } catch {
    throw notJson()
  }
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** A form parser takes the beginning of JSON for a name. */
function isTornApart(body: unknown): boolean {
  if (!isJsonObject(body)) return false
  for (const name in body) return /^\s*\{/.test(name)
  return false
}

function received(req: IncomingMessage): Promise<unknown> {
  if (Number(req.headers['content-length']) > MOST_BYTES) return Promise.reject(tooLarge())
  const chunks: Buffer[] = []
  let size = 0
  return new Promise<Buffer>((resolve, reject) => {
    req.on('data', (chunk: Buffer | string) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, req.readableEncoding ?? 'utf8') : chunk
      size += bytes.length
      if (size > MOST_BYTES) reject(tooLarge())
      else chunks.push(bytes)
    })
    const onBreak = () => reject(new WeappError('ERR_BODY_INVALID', 'The body was cut off.'))
    req.once('end', () => {
      req.off('close', onBreak)
      resolve(Buffer.concat(chunks))
    })
    req.on('error', onBreak)
    req.once('close', onBreak)
  }).then((bytes) => jsonInSent(bytes, req.headers))
}

/** The rest would be taken for the next request, so HTTP/1 has to close the connection. */
function giveUp(req: IncomingMessage, res: ServerResponse): WeappError {
  if (!res.headersSent && req.httpVersionMajor < 2) res.setHeader('Connection', 'close')
  return new WeappError('ERR_BODY_TIMEOUT', 'The body took too long to arrive. Send it again.')
}

/** Parsers make an empty object of no body, or of one that they do not parse. */
function isEmpty(body: unknown): boolean {
  if (body === undefined || body === null) return true
  if (!isJsonObject(body)) return false
  for (const _name in body) return false
  return true
}

function hasBytes(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length']) > 0
}
