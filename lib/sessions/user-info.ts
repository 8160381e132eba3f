import { WeappError } from '../errors.js'

const MOST_FIELDS = 32
const MOST_NAME_LENGTH = 64
const MOST_TEXT_LENGTH = 1024
const CONTROL = /\p{Cc}/u
const NEVER_STORED: ReadonlySet<string> = new Set([
  'openid',
  'unionid',
  'sessionkey',
  'watermark',
  'verified',
  'proto',
])

const TEXTS: ReadonlySet<string> = new Set(['nickName', 'avatarUrl'])

/** A value of a profile: flat, as all of WeChat's are. */
export type UserInfoValue = string | number | boolean | null

/**
 * A user's profile: `nickName`, `avatarUrl` and whatever else the mini-program keeps there. It never holds openId or
 * unionId; identity is on the session. `verified` tells whether WeChat vouched for it (signed or encrypted) or
 * the user typed it in.
 */
export interface UserInfo {
  readonly verified: boolean
  readonly nickName?: string
  readonly avatarUrl?: string
  readonly [field: string]: UserInfoValue | undefined
}

/** Accepts a profile that nobody signed: flat, short, free of control characters. Throws `ERR_REQUEST_INVALID`. */
export function unverifiedUserInfo(given: unknown): UserInfo {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw refused('must be an object such as { "nickName": "…", "avatarUrl": "…" }')
  }
  const fields = Object.entries(given).filter(([name]) => !isReserved(name))
  if (fields.length > MOST_FIELDS) throw refused(`may have at most ${MOST_FIELDS} fields`)
  const wrong = fields.find(([name, value]) => !isField(name, value))
  if (wrong) {
    throw refused(
      `may hold texts of up to ${MOST_TEXT_LENGTH} characters without control characters (nickName and avatarUrl have to be texts), numbers and booleans only`,
    )
  }
  return { ...Object.fromEntries(fields), verified: false }
}

/**
 * Takes over a profile that WeChat vouched for. What is not flat and short is left out: WeChat may add fields any day. Data that
 * is no profile, such as a phone number, is `ERR_DATA_MALFORMED`.
 */
export function verifiedUserInfo(data: Readonly<Record<string, unknown>>): UserInfo {
  if (typeof data.nickName !== 'string' && typeof data.avatarUrl !== 'string') {
    throw new WeappError(
      'ERR_DATA_MALFORMED',
      'This is not a user profile: it has neither nickName nor avatarUrl.',
    )
  }
  const fields = Object.entries(data).filter(([name, value]) => !isReserved(name) && isField(name, value))
  return { ...Object.fromEntries(fields.slice(0, MOST_FIELDS)), verified: true }
}

/** Writes a profile for the store. */
export function encodeUserInfo(userInfo: UserInfo): string {
  return JSON.stringify(userInfo)
}

/** Reads a profile from the store. One that cannot be read is as good as none: identity does not rest on it. */
export function decodeUserInfo(text: string | null): UserInfo | null {
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'verified' in value ? (value as UserInfo) : null
  } catch {
    return null
  }
}

/** In any spelling: `open_id` would be taken for the identity as easily as `openId`. */
function isReserved(name: string): boolean {
  return NEVER_STORED.has(name.replaceAll('_', '').toLowerCase())
}

function isField(name: string, value: unknown): boolean {
  if (name.length > MOST_NAME_LENGTH || CONTROL.test(name)) return false
  if (TEXTS.has(name) && typeof value !== 'string') return false
  if (typeof value === 'string') return value.length <= MOST_TEXT_LENGTH && !CONTROL.test(value)
  return value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
}

function refused(rule: string): WeappError {
  return new WeappError('ERR_REQUEST_INVALID', `userInfo ${rule}.`)
}
