import type { IncomingHttpHeaders } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { WeappError } from '../errors.js'

/** How many bytes a body may have, as sent and inflated. */
export const MOST_BYTES: number = 64 * 1024

type Inflate = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>

const INFLATES: ReadonlyMap<string, Inflate> = new Map<string, Inflate>([
  ['identity', async (bytes) => bytes],
  ['gzip', promisify(gunzip) as Inflate],
  ['x-gzip', promisify(gunzip) as Inflate],
  ['deflate', promisify(inflate) as Inflate],
  ['br', promisify(brotliDecompress) as Inflate],
])

const CHARSET = /;\s*charset\s*=\s*["']?\s*([^\s"';,]+)/i
const UTF_8 = /^utf[-_]?8$/i
const MOST_OF_A_NAME = 32

/** Parses bytes as they were sent; undefined for none. Throws `ERR_BODY_INVALID` and `ERR_BODY_TOO_LARGE`. */
export async function jsonInSent(bytes: Uint8Array, headers: IncomingHttpHeaders): Promise<unknown> {
  return jsonInBytes(await inflated(bytes, headers['content-encoding']), headers)
}

/** Parses bytes that are not, or no longer, compressed. */
export function jsonInBytes(bytes: Uint8Array, headers: IncomingHttpHeaders): unknown {
  if (bytes.byteLength > MOST_BYTES) throw tooLarge()
  const [, charset = 'utf-8'] = CHARSET.exec(headers['content-type'] ?? '') ?? []
  if (!UTF_8.test(charset)) throw notUnderstood(`charset ${named(charset)}`, 'Send JSON as UTF-8.')
  return jsonInText(new TextDecoder().decode(bytes))
}

export function jsonInText(text: string): unknown {
  if (text.length > MOST_BYTES || Buffer.byteLength(text) > MOST_BYTES) throw tooLarge()
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw notJson()
  }
}

export function tooLarge(): WeappError {
  return new WeappError('ERR_BODY_TOO_LARGE', 'The body is larger than 64 KB.')
}

export function notJson(): WeappError {
  return new WeappError('ERR_BODY_INVALID', 'The body is not valid JSON.')
}

async function inflated(bytes: Uint8Array, encoding: string = 'identity'): Promise<Uint8Array> {
  const inflate = INFLATES.get(encoding.trim().toLowerCase())
  if (!inflate) throw notUnderstood(`content encoding ${named(encoding)}`, 'Send gzip, deflate, br or none.')
  if (bytes.byteLength === 0) return bytes
  try {
    return await inflate(bytes, { maxOutputLength: MOST_BYTES })
  } catch (error) {
    throw (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge() : notJson()
  }
}

function notUnderstood(what: string, advice: string): WeappError {
  return new WeappError('ERR_BODY_INVALID', `The ${what} of the body is not supported. ${advice}`)
}

/** Quotes a name from a header, without characters that no name has. */
function named(word: string): string {
  return `"${word.replace(/[^\w.:-]/g, '').slice(0, MOST_OF_A_NAME)}"`
}
