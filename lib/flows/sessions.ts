import type { AppSelector } from '../sessions/app-info.js'
import type { Session, SessionSelector, SessionSummary, UserSelector } from '../sessions/session.js'
import type { SessionData } from '../sessions/session-data.js'
import type { AuthenticateOptions } from './authenticate.js'
import type { LoginRequest, LoginResult } from './log-in.js'
import type { SessionsScope } from './scope.js'
import type { UserDataCalls } from './user-data.js'
import type { WechatCalls } from './wechat-calls.js'

/** Options of `revokeUser`. */
export interface RevokeUserOptions {
  /** The id of a session that stays. Default: none. */
  exceptSessionId?: string | undefined
}

/** The apps that sessions are for. */
export interface SessionsApps {
  readonly appids: readonly string[]
  /** Whether they are narrowed to one app. */
  readonly isNarrowed: boolean
}

/** The use cases, without any web framework. Every failure that is not a bug is a `WeappError`. */
export interface Sessions extends UserDataCalls, WechatCalls {
  /** The apps that these sessions are for. */
  readonly apps: SessionsApps
  /** Exchanges a code for a session. Throws `ERR_CODE_INVALID`, `ERR_WECHAT_…` and others. */
  login(request: LoginRequest): Promise<LoginResult>
  /**
   * Returns the live session of a token. Throws `ERR_TOKEN_MISSING`, `ERR_TOKEN_MALFORMED`,
   * `ERR_SESSION_UNKNOWN`, `ERR_LOGIN_TOO_OLD` and `ERR_STORE_UNAVAILABLE`.
   */
  authenticate(token: string | undefined, options?: AuthenticateOptions): Promise<Session>
  /** Ends the session of a token, if it is still there. Throws `ERR_TOKEN_MISSING`, `ERR_TOKEN_MALFORMED`. */
  logout(token: string | undefined): Promise<void>
  /**
   * Returns the live sessions of a user, oldest login first. Throws `ERR_APP_UNKNOWN`, `ERR_REQUEST_INVALID`,
   * `ERR_STORE_UNAVAILABLE`.
   */
  list(user: UserSelector): Promise<SessionSummary[]>
  /**
   * Returns the live session with this id, whoever its user is, or null; for operators, who find an id in a
   * log. It is no visit: the times stay as they are. Throws `ERR_REQUEST_INVALID` for what cannot be the id
   * of a session, such as a token, and `ERR_STORE_UNAVAILABLE`.
   *
   * @example
   * const session = await sessions.find({ sessionId })
   */
  find(session: Pick<SessionSelector, 'sessionId'>): Promise<Session | null>
  /** Ends one session of a user by its id; returns whether it was there. Throws what `list` throws. */
  revoke(session: SessionSelector): Promise<boolean>
  /**
   * Ends all sessions of a user, except one if named; returns how many. A login in progress gets none. Throws
   * what `list` throws, and a `TypeError` for an unknown option.
   */
  revokeUser(user: UserSelector, options?: RevokeUserOptions): Promise<number>
  /**
   * Ends every session of all users and apps in one step that all processes see at the next request; a login
   * in progress gets none. Then clears the sessions away, and returns how many they were. Profiles stay.
   * Throws `ERR_STORE_UNAVAILABLE`; once the first step is done no session is alive. Sessions that are
   * narrowed to an app throw a `TypeError`, as the step does not know apps.
   */
  revokeAll(): Promise<number>
  /**
   * Leaves nothing of a user in the store, under any of `keys`: ends all sessions, and deletes the profile,
   * that the user was here, the kept phone number and the count of failed decryptions. A login in progress
   * gets none: for ten minutes the time of this call is kept under a digest that only `keys` can make. Call
   * it again after a failure. Throws what `list` throws.
   */
  forgetUser(user: UserSelector): Promise<void>
  /**
   * Replaces the `data` of a session, and returns it as later requests will find it: after its way through
   * JSON. The rest of the session stays, also what others change at the same time; of two that set it at once
   * the last one counts. Throws `ERR_SESSION_UNKNOWN` for a session that has ended, a `TypeError` for what
   * JSON cannot carry or what has more than 4096 bytes, and what `list` throws.
   *
   * @example
   * await sessions.setData(session, { role: 'editor' })
   */
  setData(session: SessionSelector, data: SessionData): Promise<SessionData>
  /**
   * Returns the same sessions, narrowed: to one app, so that others cannot log in, their sessions are
   * unknown, and every user and session that a call names belongs to this app; to a number of sessions per
   * user; to keeping phone numbers. All else is shared, `close` included. Throws a `TypeError` for a wrong
   * option, and for an app that is not configured or not within these sessions.
   *
   * @example
   * const shop = sessions.with({ appid: 'wx…', maxSessionsPerUser: 1 })
   */
  with(scope: SessionsScope): Sessions
  /** Short for `with({ appid })`. */
  ofApp(app: AppSelector): Sessions
  /** Resolves if the store could write a login now; for health checks. Throws `ERR_STORE_UNAVAILABLE`. */
  ping(): Promise<void>
  /** Waits for logins and writes in progress, then closes the connections to WeChat, not a Redis client. */
  close(): Promise<void>
}
