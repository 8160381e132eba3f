import { WeappError } from '../errors.js'
import { isJsonObject } from '../json-object.js'
import { isAddress, isOnPhone, isReachable, leadsAstray } from './profile-address.js'
import { cleaned, isFieldName, isLookAlike, isReserved, namesAddress } from './profile-text.js'

const MOST_FIELDS = 32
const MOST_TEXT_LENGTH = 1024
/** Each authenticated request reads the profile from the store. */
const MOST_BYTES = 4096

/** Says in a stored profile that it is verified. No field of a client can have this name. */
const VERIFIED_MARK = ''

const PLACEHOLDER_NAME = '微信用户'
const WECHAT_PICTURE = /^https?:\/\/[^/]+\.qlogo\.cn\//

const TEXTS: ReadonlySet<string> = new Set(['nickName', 'avatarUrl'])

/** The fields of WeChat's profile of a user. */
// biome-ignore format: a list
export const WECHAT_FIELDS = [
  'nickName', 'avatarUrl', 'gender', 'language', 'city', 'province', 'country',
] as const

/** A value of a profile: never an object or array. */
export type UserInfoValue = string | number | boolean | null

/**
 * A user's profile: `nickName`, `avatarUrl` and any other fields of the mini-program. It never holds openId
 * or unionId: identity is on the session.
 */
export interface UserInfo {
  /**
   * Whether WeChat signed or encrypted these values for this user, at some time; then there are only WeChat's
   * fields. A verified `nickName` is still what the user chose: it proves no name, role or right.
   */
  readonly verified: boolean
  readonly nickName?: string
  readonly avatarUrl?: string
  readonly [field: string]: UserInfoValue | undefined
}

export interface UserInfoRules {
  /** Whether addresses may have a host that only this machine or its network can reach. */
  readonly allowPrivateAddresses: boolean
}

/**
 * Checks an unsigned profile. Texts are put on one line, without invisible characters. Throws
 * `ERR_REQUEST_INVALID`.
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

/** Returns WeChat's fields of a profile. Throws `ERR_DATA_MALFORMED` for a phone number and other data. */
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

/** Whether this is the anonymous profile that WeChat has returned for every user since 2022. */
export function isPlaceholder({ nickName, avatarUrl }: UserInfo): boolean {
  return nickName === PLACEHOLDER_NAME && (!avatarUrl || WECHAT_PICTURE.test(avatarUrl))
}

export function encodeUserInfo({ verified, ...fields }: UserInfo): string {
  return JSON.stringify(verified ? { ...fields, [VERIFIED_MARK]: 1 } : fields)
}

/** Returns null for a damaged profile, too: identity does not depend on it. */
export function decodeUserInfo(text: string | null): UserInfo | null {
  if (text === null) return null
  try {
    const fields: unknown = JSON.parse(text)
    if (!isJsonObject(fields)) return null
    const userInfo: Record<string, unknown> = fields
    const verified = userInfo[VERIFIED_MARK] === 1
    // Not by a spread, which takes longer than to parse all of it.
    delete userInfo[VERIFIED_MARK]
    userInfo.verified = verified
    return userInfo as UserInfo
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

/** Checks a text, and normalizes it if it is an address. */
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
  return Buffer.byteLength(JSON.stringify(userInfo))
}

function refused(rule: string): WeappError {
  return new WeappError('ERR_REQUEST_INVALID', `userInfo ${rule}.`)
}

function malformed(message: string): WeappError {
  return new WeappError('ERR_DATA_MALFORMED', message)
}
