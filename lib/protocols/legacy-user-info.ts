import type { Session } from '../sessions/session.js'
import { type UserInfo, type UserInfoValue, WECHAT_FIELDS } from '../sessions/user-info.js'

/**
 * A profile as the systems of 2016 to 2018 returned it: WeChat's decrypted user info, including the identity.
 */
export interface LegacyUserInfo {
  readonly openId: string
  readonly unionId?: string
  readonly watermark: { readonly appid: string; readonly timestamp: number }
  readonly verified?: false
  readonly [field: string]: UserInfoValue | object | undefined
}

/**
 * Returns the profile of a session in that shape. Their back ends took the user's identity from it, so it is
 * there even without a profile; it comes from code2Session, never from decrypted data. Of the profile it has
 * only the fields that WeChat's has; one that the user typed in has `verified: false`. `timestamp` is the
 * login, in seconds since 1970.
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

/**
 * Returns the fields that WeChat has of a user, and no others: in those days nobody else could write into
 * this object.
 */
function profileOf(userInfo: UserInfo | null): Omit<Partial<UserInfo>, 'verified'> {
  const known = WECHAT_FIELDS.filter((name) => userInfo?.[name] !== undefined)
  return Object.fromEntries(known.map((name) => [name, userInfo?.[name]]))
}

/** Returns the seconds until a session ends unless it is visited again, as `duration`. */
export function durationOf(session: Session): number {
  return Math.round((session.idleExpiresAt.getTime() - session.lastVisitAt.getTime()) / 1000)
}
