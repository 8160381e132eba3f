import { WeappError } from '../errors.js'
import { isFields, isText } from './answer.js'
import type { OpenData } from './open-data.js'
import { type PhoneInfo, phoneInfoIn } from './phone-number.js'

/** What `wx.getUserInfo` encrypts. openId and unionId may be absent; identity is the session's, not theirs. */
export interface UserInfoData extends OpenData {
  readonly nickName: string
  readonly avatarUrl: string
}

/** What `wx.getWeRunData` encrypts: the steps of the last 31 days. */
export interface WeRunData extends OpenData {
  /** `timestamp` is the begin of the day in seconds since 1970. */
  readonly stepInfoList: readonly { readonly timestamp: number; readonly step: number }[]
}

/** What `wx.getGroupEnterInfo` and `wx.getShareInfo` encrypt; `opengid` whichever way WeChat has spelled it. */
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

const READERS: { readonly [Kind in OpenDataKind]: (data: OpenData) => OpenDataKinds[Kind] | undefined } = {
  any: (data) => data,
  userInfo: (data) => (isUserInfo(data) ? data : undefined),
  phone: (data) => {
    const info = phoneInfoIn(data)
    return info && { ...data, ...info }
  },
  weRun: (data) => (isWeRun(data) ? data : undefined),
  group(data) {
    const opengid = data.opengid || data.openGId
    return isText(opengid) ? { ...data, opengid } : undefined
  },
}

/** All kinds. */
export const OPEN_DATA_KINDS: readonly OpenDataKind[] = Object.keys(READERS) as OpenDataKind[]

/** The data as what it has to be. Throws `ERR_DATA_MALFORMED` when it is of another kind. */
export function asKind<Kind extends OpenDataKind>(kind: Kind, data: OpenData): OpenDataKinds[Kind] {
  const typed = READERS[kind](data)
  if (typed) return typed
  throw new WeappError('ERR_DATA_MALFORMED', `The encrypted data is of another kind than "${kind}".`)
}

function isUserInfo(data: OpenData): data is UserInfoData {
  return typeof data.nickName === 'string' && typeof data.avatarUrl === 'string'
}

function isWeRun(data: OpenData): data is WeRunData {
  const { stepInfoList: days } = data
  return (
    Array.isArray(days) &&
    days.every((day) => isFields(day) && typeof day.timestamp === 'number' && typeof day.step === 'number')
  )
}
