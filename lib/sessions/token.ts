import { createHmac, hash, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto'

const GROUP_BYTES = 3
const PSEUDONYM_BYTES = 12
const SECRET_BYTES = 33
const SESSION_ID_BYTES = 18
const GROUP_LENGTH = 4
const HANDLE_LENGTH = 20
const TOKEN = /^[A-Za-z0-9_-]{64}$/
/** Hex tokens of other services, 32 bytes long. A token of ours does not look like this by chance. */
const HEXADECIMAL = /^[0-9a-f]+$/
const PUBLIC_ID = /^[A-Za-z0-9_-]{44}$/

/** Where a store keeps a session. The store never sees the token. */
export interface SessionAddress {
  /**
   * The user of an app: 20 base64url characters, the same for all sessions under one secret of `keys`. The
   * first 4 are the same for all users of the app, see {@link groupIn}.
   */
  readonly handle: string
  /** The id of the session at its user: 24 base64url characters, a truncated SHA-256 of the token. */
  readonly sessionId: string
}

/** Returns the group of an app, with which the handles of its users begin: a truncated SHA-256. */
export function groupOf(appid: string): string {
  return digest(`group\0${appid}`, GROUP_BYTES)
}

/**
 * Returns the group of a user, the first 4 characters of the handle: the same for all users of an app.
 *
 * @example
 * await db.query('DELETE FROM sessions WHERE left(handle, 4) = $1', [groupIn(handle)])
 */
export function groupIn(handle: string): string {
  return handle.slice(0, GROUP_LENGTH)
}

/**
 * Returns the pseudonym of a user of an app: the group of the app, then a truncated HMAC-SHA-256. It proves
 * nothing.
 */
export function handleOf(key: KeyObject, appid: string, openid: string, group = groupOf(appid)): string {
  const mac = createHmac('sha256', key).update(`handle\0${appid}\0${openid}`).digest()
  return group + mac.subarray(0, PSEUDONYM_BYTES).toString('base64url')
}

/** Returns the handle that a token begins with. */
export function handleIn(token: string): string {
  return token.slice(0, HANDLE_LENGTH)
}

/** Returns a new token: the handle of the user, then 33 random bytes. */
export function newToken(handle: string): string {
  return handle + randomBytes(SECRET_BYTES).toString('base64url')
}

/** Returns the address of the session of a token; undefined when the text is not a token. */
export function addressOf(token: string): SessionAddress | undefined {
  if (!TOKEN.test(token)) return undefined
  return { handle: handleIn(token), sessionId: digest(`session\0${token}`, SESSION_ID_BYTES) }
}

/** Whether a text may be a token of ours, in a place where other services put theirs, too. */
export function isLikeToken(text: string): boolean {
  return TOKEN.test(text) && !HEXADECIMAL.test(text)
}

/** Whether a token begins with a handle, compared in constant time. */
export function isHandleOf(handle: string, token: string): boolean {
  const [given, own] = [Buffer.from(handle), Buffer.from(handleIn(token))]
  return given.length === own.length && timingSafeEqual(given, own)
}

/**
 * Returns the id by which people, logs and the application name a session: the handle of its user, then its
 * id there, 44 characters. It leads to the session, and does not open it: a token has 33 random bytes more.
 */
export function publicIdOf({ handle, sessionId }: SessionAddress): string {
  return handle + sessionId
}

/** Returns the address that a public id names; undefined when the text is not one, such as a token. */
export function addressNamed(publicId: string): SessionAddress | undefined {
  if (!PUBLIC_ID.test(publicId)) return undefined
  return { handle: publicId.slice(0, HANDLE_LENGTH), sessionId: publicId.slice(HANDLE_LENGTH) }
}

/** Returns the id of a login code in the store, which does not reveal the code. */
export function codeIdOf(appid: string, code: string): string {
  return digest(`code\0${appid}\0${code}`, SESSION_ID_BYTES)
}

/** Returns the id of a shared value in the store, which reveals neither app nor user. */
export function valueIdOf(of: { purpose: string; appid: string; openid?: string }): string {
  return digest(`value\0${of.purpose}\0${of.appid}\0${of.openid ?? ''}`, SESSION_ID_BYTES)
}

function digest(text: string, bytes: number): string {
  // All lengths are whole groups of base64.
  return hash('sha256', text, 'base64url').slice(0, (bytes * 4) / 3)
}
