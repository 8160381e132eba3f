import { WeappError } from '../errors.js'
import { isJsonObject } from '../json-object.js'
import { type DataShape, dividedBy, hasShape, isAscii, isWholeNumber } from './data-shape.js'
import type { OpenData } from './open-data.js'
import { type PhoneInfo, phoneInfoIn } from './phone-number.js'
import { isText } from './response.js'

/** What `wx.getUserInfo` encrypts. Its `unionId` proves nothing: take the session's. */
export interface UserInfoData extends OpenData {
  readonly openId: string
  readonly nickName: string
  readonly avatarUrl: string
}

/** What `wx.getWeRunData` encrypts: the steps of the last 31 days. */
export interface WeRunData extends OpenData {
  /** `timestamp` is the start of the day, in seconds since 1970. */
  readonly stepInfoList: readonly { readonly timestamp: number; readonly step: number }[]
}

/** What `wx.getGroupEnterInfo` and `wx.getShareInfo` encrypt; `opengid` however WeChat spelled it. */
export interface GroupData extends OpenData {
  readonly opengid: string
}

/** The type of decrypted data by the name of its kind. */
export interface OpenDataKinds {
  any: OpenData
  userInfo: UserInfoData
  phone: PhoneInfo & OpenData
  weRun: WeRunData
  group: GroupData
}

/** The name of a kind of decrypted data. */
export type OpenDataKind = keyof OpenDataKinds

/**
 * Reads decrypted data of a kind of your own; returns undefined for any other. The phone may have written
 * most of the text itself, so a reader must check every field and allow no others.
 */
export type OpenDataReader<T> = (data: OpenData) => T | undefined

/** What data must be: a known kind, or what a reader returns. */
export type OpenDataAs = OpenDataKind | OpenDataReader<unknown>

/** The type of data, by what it must be. */
export type OpenDataOf<As extends OpenDataAs> =
  As extends OpenDataReader<infer T> ? T : As extends OpenDataKind ? OpenDataKinds[As] : never

const DIALLED = /^\+?\d[\d -]{2,24}$/
const COUNTRY_CODE = /^\d{1,4}$/
const GROUP_ID = /^[\w-]{0,128}$/
const PLAIN_NAME = /^\w+$/

const PHONE: DataShape = {
  phoneNumber: isMatching(DIALLED),
  purePhoneNumber: isMatching(DIALLED),
  countryCode: (value) => isWholeNumber(value) || isMatching(COUNTRY_CODE)(value),
}

const DAY: DataShape = { timestamp: isWholeNumber, step: isWholeNumber }

const WE_RUN: DataShape = {
  stepInfoList: (days) => Array.isArray(days) && days.every((day) => isJsonObject(day) && hasShape(day, DAY)),
}

const GROUP: DataShape = {
  opengid: isMatching(GROUP_ID),
  openGId: isMatching(GROUP_ID),
  open_single_roomid: isMatching(GROUP_ID),
  group_openid: isMatching(GROUP_ID),
  chat_type: isWholeNumber,
}

/** WeChat has added other fields to a profile and may do so again: plain ones are dropped. */
const USER_INFO: DataShape = {
  openId: isText,
  unionId: isAscii,
  nickName: isString,
  avatarUrl: isAscii,
  gender: isWholeNumber,
  language: isAscii,
  city: isString,
  province: isString,
  country: isString,
  watermark: isJsonObject,
}

/** The fields that `wx.getUserProfile` encrypts. */
const NAMELESS = Object.keys(USER_INFO).filter((name) => name !== 'openId' && name !== 'unionId')

const READERS: { readonly [Kind in OpenDataKind]: OpenDataReader<OpenDataKinds[Kind]> } = {
  any: (data) => READERS.userInfo(data) ?? (isOfExactKind(data) ? data : undefined),
  userInfo(data) {
    const profile = knownOfProfile(data) ?? {}
    const isWhole = ['openId', 'nickName', 'avatarUrl'].every((name) => name in profile)
    return isWhole ? (profile as UserInfoData) : undefined
  },
  phone({ watermark, ...fields }) {
    if (!hasShape(fields, PHONE)) return undefined
    const info = phoneInfoIn(fields)
    return info && isConsistent(info) ? { ...info, watermark } : undefined
  },
  weRun({ watermark, ...fields }) {
    return hasShape(fields, WE_RUN) ? ({ ...fields, watermark } as WeRunData) : undefined
  },
  group({ watermark, ...fields }) {
    const opengid = fields.opengid || fields.openGId
    return isText(opengid) && hasShape(fields, GROUP, 'some') ? { ...fields, opengid, watermark } : undefined
  },
}

export const OPEN_DATA_KINDS: readonly OpenDataKind[] = Object.keys(READERS) as OpenDataKind[]

/**
 * Returns the data as what it must be. Throws `ERR_DATA_MALFORMED` for another kind, and for any field that
 * is not of its kind: the seam of a forgery could hide in a field that nobody reads.
 */
export function asKind<As extends OpenDataAs>(as: As, data: OpenData): OpenDataOf<As> {
  const read: OpenDataReader<unknown> = typeof as === 'function' ? as : READERS[as as OpenDataKind]
  const typed = read(data)
  if (typed !== undefined) return typed as OpenDataOf<As>
  const kind = typeof as === 'function' ? 'the expected kind' : `kind "${as}"`
  throw new WeappError('ERR_DATA_MALFORMED', `The encrypted data is not of ${kind}.`)
}

/**
 * Returns the profile in decrypted data. One that does not name its owner must have every other field: its
 * beginning may have been cut off, and a name that the sender chose must not be shown. Throws
 * `ERR_DATA_MALFORMED`.
 */
export function profileData(data: OpenData): OpenData {
  if (data.openId !== undefined) return asKind('userInfo', data)
  const profile = knownOfProfile(data)
  if (profile && NAMELESS.every((name) => name in profile)) return profile
  throw new WeappError('ERR_DATA_MALFORMED', 'The encrypted data is not a complete profile.')
}

/** Returns the known fields of a profile; undefined if another field is not plain. */
function knownOfProfile(data: OpenData): OpenData | undefined {
  const { known, others } = dividedBy(USER_INFO, data)
  return Object.entries(others).every(isPlain) ? (known as OpenData) : undefined
}

/** Whether a field that is dropped cannot hide a forger's text. */
function isPlain([name, value]: [name: string, value: unknown]): boolean {
  return PLAIN_NAME.test(name) && (isAscii(value) || typeof value === 'boolean' || typeof value === 'number')
}

function isOfExactKind(data: OpenData): boolean {
  return [READERS.phone, READERS.weRun, READERS.group].some((read) => read(data) !== undefined)
}

/** Whether the number is the pure one, with or without the country code in front. */
function isConsistent({ phoneNumber, purePhoneNumber, countryCode }: PhoneInfo): boolean {
  const [number, pure] = [digitsOf(phoneNumber), digitsOf(purePhoneNumber)]
  return number === pure || number === countryCode + pure
}

function digitsOf(number: string): string {
  return number.replace(/\D/g, '')
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isMatching(form: RegExp) {
  return (value: unknown) => typeof value === 'string' && form.test(value)
}
