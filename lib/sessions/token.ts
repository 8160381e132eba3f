import { createHmac, hash, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'

const HANDLE_BYTES = 15
const SECRET_BYTES = 33
const SESSION_ID_BYTES = 18
const HANDLE_LENGTH = 20
const TOKEN = /^[A-Za-z0-9_-]{64}$/
/** 32 bytes of other services have this length, too. A token of ours does not come out so by chance. */
const HEXADECIMAL = /^[0-9a-f]+$/
const SESSION_ID = /^[A-Za-z0-9_-]{24}$/

/** Where a session lives in a store. The store learns only this, never the token. */
export interface SessionAddress {
  /** The user: 20 base64url characters, the same for all sessions under one key of the ring. */
  readonly handle: string
  /** The public id of the session: 24 base64url characters, a truncated SHA-256 of the token. */
  readonly sessionId: string
}

/**
 * The handle of a user of an app: a truncated HMAC-SHA-256, so that nobody without the key can tell whose it
 * is. It routes; it proves nothing.
 */
export function handleOf(key: KeyObject, appid: string, openid: string): string {
  const mac = createHmac('sha256', key).update(`handle\0${appid}\0${openid}`).digest()
  return mac.subarray(0, HANDLE_BYTES).toString('base64url')
}

export function handleIn(token: string): string {
  return token.slice(0, HANDLE_LENGTH)
}

/** Makes a new token for a user: the handle, then 33 bytes from the system's random source. */
export function newToken(handle: string): string {
  return handle + randomBytes(SECRET_BYTES).toString('base64url')
}

/** The address of the session that a token opens, or nothing when the text cannot be a token. */
export function addressOf(token: string): SessionAddress | undefined {
  if (!TOKEN.test(token)) return undefined
  return { handle: handleIn(token), sessionId: digest(`session\0${token}`, SESSION_ID_BYTES) }
}

/** Whether a text that came in a place which others use as well may be a token of ours. */
export function isLikeToken(text: string): boolean {
  return TOKEN.test(text) && !HEXADECIMAL.test(text)
}

/** Whether a token begins with this handle; compared in constant time. */
export function isHandleOf(handle: string, token: string): boolean {
  const [given, own] = [Buffer.from(handle), Buffer.from(handleIn(token))]
  return given.length === own.length && timingSafeEqual(given, own)
}

export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text)
}

/** The id under which a store remembers that a login code was used. The code cannot be found from it. */
export function codeIdOf(appid: string, code: string): string {
  return digest(`code\0${appid}\0${code}`, SESSION_ID_BYTES)
}

/** The id of a value that all processes share. Neither app nor user can be found from it. */
export function valueIdOf(of: { purpose: string; appid: string; openid?: string }): string {
  return digest(`value\0${of.purpose}\0${of.appid}\0${of.openid ?? ''}`, SESSION_ID_BYTES)
}

function digest(text: string, bytes: number): string {
  return hash('sha256', text, 'buffer').subarray(0, bytes).toString('base64url')
}
