import type { AppSelector } from './app-info.js'
import type { SessionRecord } from './record.js'
import { frozen, type SessionData } from './session-data.js'
import type { UserInfo } from './user-info.js'

/** A user of an app. */
export interface UserRef {
  readonly appid: string
  readonly openid: string
}

/** A session, by its public id. */
export interface SessionRef extends UserRef {
  readonly sessionId: string
}

/** Selects a user. A {@link Session} is one as well. */
export interface UserSelector {
  /** The app: its appid or `id`. May be left out when there is only one. */
  readonly appid?: AppSelector | undefined
  readonly openid: string
}

/** Selects a session. A {@link Session} is one as well. */
export interface SessionSelector extends UserSelector {
  readonly sessionId: string
}

/** A session as a list shows it to its user. */
export interface SessionSummary {
  /** The public id, 44 characters, safe for lists and logs: it leads to the session and does not open it. */
  readonly sessionId: string
  /**
   * The device that logged in, in a few words of at most 64 characters: what it says of itself, so proof of
   * nothing. One line, without `<`, `>`, `&`, quotes and backticks; undefined where it is unknown.
   */
  readonly device: string | undefined
  /** The time of login. */
  readonly createdAt: Date
  /** The last recorded visit. It lags behind the real one by at most the touch share of the idle window. */
  readonly lastVisitAt: Date
  /** The absolute end. */
  readonly expiresAt: Date
  /** The end unless another visit comes first; never later than `expiresAt`. */
  readonly idleExpiresAt: Date
}

/** A live session: its user, its times, and the data of the application. Frozen deeply. */
export interface Session extends SessionRef, SessionSummary {
  /** The user across the apps of a WeChat Open Platform account, if WeChat returns it. */
  readonly unionid: string | undefined
  /** The user's profile, shared by all sessions of the user; null when there is none. */
  readonly userInfo: UserInfo | null
  /** When the user last confirmed an action in this session; undefined: not since its login. */
  readonly confirmedAt: Date | undefined
  /** What `onLogin` returned, or `sessions.setData` has set since. */
  readonly data: SessionData
}

/** The times of a session in milliseconds since 1970. */
export interface SessionMoments {
  readonly createdAt: number
  readonly lastVisitAt: number
  readonly expiresAt: number
  readonly idleExpiresAt: number
}

export function sessionFrom(
  sessionId: string,
  record: SessionRecord,
  moments: SessionMoments,
  userInfo: UserInfo | null,
): Session {
  const { appid, openid, unionid, device, confirmedAt, data } = record
  return Object.freeze({
    sessionId,
    appid,
    openid,
    unionid,
    device,
    createdAt: new Date(moments.createdAt),
    lastVisitAt: new Date(moments.lastVisitAt),
    expiresAt: new Date(moments.expiresAt),
    idleExpiresAt: new Date(moments.idleExpiresAt),
    userInfo: frozen(userInfo),
    confirmedAt: confirmedAt === undefined ? undefined : new Date(confirmedAt),
    data: frozen(data) as SessionData,
  })
}

export function summaryFrom(
  sessionId: string,
  { device }: SessionRecord,
  moments: SessionMoments,
): SessionSummary {
  return {
    sessionId,
    device,
    createdAt: new Date(moments.createdAt),
    lastVisitAt: new Date(moments.lastVisitAt),
    expiresAt: new Date(moments.expiresAt),
    idleExpiresAt: new Date(moments.idleExpiresAt),
  }
}
