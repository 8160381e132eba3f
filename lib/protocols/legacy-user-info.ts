import type { Session } from '../sessions/session.js'
import { type UserInfo, type UserInfoValue, WECHAT_FIELDS } from '../sessions/user-info.js'

/** A profile as the systems of 2016 to 2018 returned it: WeChat's decrypted user info, with the identity. */
export interface LegacyUserInfo {
  readonly openId: string
  readonly unionId?: string
  readonly watermark: { readonly appid: string; readonly timestamp: number }
  readonly verified?: false
  readonly [field: string]: UserInfoValue | object | undefined
}

/**
 * Returns the profile of a session in that shape. Their back ends took the user's identity from it, so it is
 * there even without a profile, from code2Session and never from decrypted data. Only the fields of WeChat's
 * profile are included; one that the user typed in has `verified: false`. `timestamp` is the login, in
 * seconds since 1970.
 */
export function legacyUserInfo(session: Session): LegacyUserInfo {
  const { verified } = session.userInfo ?? {}
  return {
    ...profileOf(session.userInfo),
    ...(verified === false && { verified }),
    openId: session.openid,
    ...(session.unionid !== undefined && { unionId: session.unionid }),
    watermark: { appid: session.appid, timestamp: Math.floor(session.createdAt.getTime() / 1000) },
  }
}

/** Leaves out other fields: in those systems only WeChat could write into this object. */
function profileOf(userInfo: UserInfo | null): Omit<Partial<UserInfo>, 'verified'> {
  const fields = WECHAT_FIELDS.map((name) => [name, userInfo?.[name]] as const)
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined))
}

/** Returns the seconds until a session ends unless it is visited again. */
export function durationOf(session: Session): number {
  return Math.round((session.idleExpiresAt.getTime() - session.lastVisitAt.getTime()) / 1000)
}
