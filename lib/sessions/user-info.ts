import { WeappError } from '../errors.js'
import { isJsonObject } from '../json-object.js'
import { isAddress, isOnPhone, isReachable, leadsAstray } from './profile-address.js'
import { cleaned, isFieldName, isLookAlike, isReserved, namesAddress } from './profile-text.js'

const MOST_FIELDS = 32
const MOST_TEXT_LENGTH = 1024
/** Each authenticated request brings the profile from the store. */
const MOST_BYTES = 4096

const PLACEHOLDER_NAME = '微信用户'
const WECHAT_PICTURE = /^https?:\/\/[^/]+\.qlogo\.cn\//

const TEXTS: ReadonlySet<string> = new Set(['nickName', 'avatarUrl'])

/** The fields of the profile that WeChat has of a user. */
export const WECHAT_FIELDS = [
  'nickName',
  'avatarUrl',
  'gender',
  'language',
  'city',
  'province',
  'country',
] as const

/** A value of a profile: flat, as all of WeChat's are. */
export type UserInfoValue = string | number | boolean | null

/**
 * A user's profile: `nickName`, `avatarUrl` and whatever else the mini-program keeps there. It never holds
 * openId or unionId; identity is on the session.
 *
 * `verified` tells whether these values came from WeChat for this user, signed or encrypted; then there are
 * no other fields than WeChat's. It does not tell when, and a `nickName` is what its user once chose: it
 * proves nobody's name, role or right.
 */
export interface UserInfo {
  readonly verified: boolean
  readonly nickName?: string
  readonly avatarUrl?: string
  readonly [field: string]: UserInfoValue | undefined
}

/** What depends on the server in what a profile may hold. */
export interface UserInfoRules {
  /** Whether an address may name a host that only this machine or its network can reach. */
  readonly allowPrivateAddresses: boolean
}

/**
 * Accepts a profile that nobody signed: flat, short, with names and addresses that are what they look like.
 * Texts become one line without characters that nobody sees. Throws `ERR_REQUEST_INVALID`.
 */
export function unverifiedUserInfo(given: unknown, rules: UserInfoRules): UserInfo {
  if (!isJsonObject(given)) {
    throw refused('must be an object such as { "nickName": "…", "avatarUrl": "…" }')
  }
  const fields = Object.entries(given).filter(([name]) => !isReserved(name))
  if (fields.length > MOST_FIELDS) throw refused(`may have at most ${MOST_FIELDS} fields`)
  const kept = fields.map(([name, givenValue]) => {
    const value = typeof givenValue === 'string' ? cleaned(givenValue) : givenValue
    checkField(name, value)
    return [name, typeof value === 'string' ? readText(name, value, rules) : value]
  })
  const userInfo = { ...Object.fromEntries(kept), verified: false }
  if (bytesOf(userInfo) > MOST_BYTES) throw refused(`may have at most ${MOST_BYTES} bytes as JSON in UTF-8`)
  return userInfo
}

/**
 * Takes over a profile that WeChat made: the fields that it is known to have, and no others. Whoever calls
 * says whether it is sure to be as WeChat made it. Data that is no profile, such as a phone number, is
 * `ERR_DATA_MALFORMED`.
 */
export function wechatUserInfo(data: Readonly<Record<string, unknown>>, verified: boolean): UserInfo {
  const kept = WECHAT_FIELDS.flatMap((name) => {
    const value = typeof data[name] === 'string' ? cleaned(data[name]) : data[name]
    return isWechatField(name, value) ? [[name, value] as const] : []
  })
  const userInfo: UserInfo = { ...Object.fromEntries(kept), verified }
  if (userInfo.nickName === undefined && userInfo.avatarUrl === undefined) {
    throw malformed('This is not a user profile: it has neither nickName nor avatarUrl.')
  }
  if (bytesOf(userInfo) > MOST_BYTES) throw malformed('This profile is longer than any of WeChat is.')
  return userInfo
}

/**
 * Whether a profile is what WeChat gives in place of a user's own since 2022: one name and one grey picture
 * for everybody. A picture from elsewhere is somebody's own choice.
 */
export function isPlaceholder({ nickName, avatarUrl }: UserInfo): boolean {
  return nickName === PLACEHOLDER_NAME && (!avatarUrl || WECHAT_PICTURE.test(avatarUrl))
}

/** Writes a profile for the store. */
export function encodeUserInfo(userInfo: UserInfo): string {
  return JSON.stringify(userInfo)
}

/** Decodes a stored profile; null if it cannot be read, as identity does not rest on it. */
export function decodeUserInfo(text: string | null): UserInfo | null {
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'verified' in value ? (value as UserInfo) : null
  } catch {
    return null
  }
}

function checkField(name: string, value: unknown): void {
  if (!isFieldName(name)) {
    throw refused(
      'may have names of up to 64 ASCII letters, digits, _ and -, beginning with a letter or _, but none that every object has',
    )
  }
  if (isLookAlike(name)) throw refused('must not have a name that looks like one of identity, such as openId')
  if (!isValue(value) || (TEXTS.has(name) && typeof value !== 'string')) {
    throw refused(
      `may hold texts of up to ${MOST_TEXT_LENGTH} characters (nickName and avatarUrl have to be texts), numbers and booleans only`,
    )
  }
}

/** As a page has to show it: an address in one spelling. */
function readText(name: string, text: string, { allowPrivateAddresses }: UserInfoRules): string {
  if (name === 'nickName') return text
  if (isOnPhone(text)) {
    throw refused(
      'must not hold a temporary path on the phone, such as the avatarUrl of chooseAvatar: upload the picture first, then send its address',
    )
  }
  if (isAddress(text)) {
    const { href } = new URL(text)
    if (href.length > MOST_TEXT_LENGTH)
      throw refused(`may hold addresses of up to ${MOST_TEXT_LENGTH} characters`)
    if (isReachable(text, allowPrivateAddresses)) return href
    throw refused(
      'must hold only addresses that everybody can reach; for development see allowPrivateAddresses',
    )
  }
  if (leadsAstray(text) || (namesAddress(name) && text !== '')) {
    throw refused('must hold http or https addresses where it holds any, as avatarUrl does')
  }
  return text
}

function isWechatField(name: string, value: unknown): boolean {
  if (name === 'gender') return value === 0 || value === 1 || value === 2
  if (typeof value !== 'string' || !isValue(value)) return false
  return name !== 'avatarUrl' || value === '' || (isAddress(value) && isReachable(value, false))
}

function isValue(value: unknown): value is UserInfoValue {
  if (typeof value === 'string') return value.length <= MOST_TEXT_LENGTH
  return value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
}

function bytesOf(userInfo: UserInfo): number {
  return Buffer.byteLength(encodeUserInfo(userInfo))
}

function refused(rule: string): WeappError {
  return new WeappError('ERR_REQUEST_INVALID', `userInfo ${rule}.`)
}

function malformed(message: string): WeappError {
  return new WeappError('ERR_DATA_MALFORMED', message)
}
