import type { AppSelector } from '../sessions/app-info.js'
import type { Session, SessionSelector, SessionSummary, UserSelector } from '../sessions/session.js'
import type { SessionData } from '../sessions/session-data.js'
import type { RotatedSession } from '../sessions/session-rotation.js'
import type { AuthenticateOptions } from './authenticate.js'
import type { ConfirmationProof } from './confirm.js'
import type { SessionsHealth } from './health.js'
import type { LoginRequest, LoginResult } from './log-in.js'
import type { RenewalRequest } from './renew.js'
import type { SessionsScope } from './scope.js'
import type { UserDataCalls } from './user-data.js'
import type { WechatCalls } from './wechat-calls.js'

/** Options of `revokeUser`. */
export interface RevokeUserOptions {
  /** The id of a session that stays. Default: none. */
  exceptSessionId?: string | undefined
}

/** Options of `revokeAll`. */
export interface RevokeAllOptions {
  /**
   * Called with how many sessions are cleared away so far: first when all have ended, with 0 as a rule, then
   * after each step. The next step waits for it. If it throws or takes more than 5 seconds, the clearing
   * stops and `revokeAll` throws.
   */
  onProgress?: ((cleared: number) => unknown) | undefined
  /**
   * Ends nothing: only clears away what an earlier call ended but could not clear, because it failed or its
   * process was killed. Default: false.
   */
  resume?: boolean | undefined
}

/** The apps that sessions are for. */
export interface SessionsApps {
  /** Their AppIDs, in the order of `apps`. */
  readonly appids: readonly string[]
  /** Whether they are narrowed to one app. */
  readonly isNarrowed: boolean
}

/** Options of `rotate`. */
export interface RotateOptions {
  /** New `data` for the session, set in the same step. Default: it stays. */
  readonly data?: SessionData
}

/** The use cases, without any web framework. Every failure that is not a bug is a `WeappError`. */
export interface Sessions extends UserDataCalls, WechatCalls {
  /** The apps that these sessions are for. */
  readonly apps: SessionsApps
  /** Exchanges a code for a session. Throws `ERR_CODE_INVALID`, `ERR_WECHAT_…` and others. */
  login(request: LoginRequest): Promise<LoginResult>
  /**
   * Returns the live session of a token. Throws `ERR_TOKEN_MISSING`, `ERR_TOKEN_MALFORMED`,
   * `ERR_SESSION_UNKNOWN`, `ERR_LOGIN_TOO_OLD`, `ERR_CONFIRMATION_REQUIRED` and `ERR_STORE_UNAVAILABLE`.
   */
  authenticate(token: string | undefined, options?: AuthenticateOptions): Promise<Session>
  /**
   * Begins the login of a session anew with a fresh code of its user: another token and login time, and full
   * lifetimes. The old token is dead from then on. `data` and the rest of the session stay, but for its
   * confirmation; `onLogin` is not called. One call to WeChat, four round trips to the store. Throws
   * `ERR_CODE_INVALID`, `ERR_USER_CHANGED` for a code of somebody else, `ERR_SESSION_UNKNOWN` for a session
   * that has ended, even meanwhile, and `ERR_WECHAT_…`.
   *
   * Source: https://developers.weixin.qq.com/miniprogram/dev/api/open-api/login/wx.login.html
   *
   * @example
   * const { token: newToken } = await sessions.renew({ token, code })
   */
  renew(request: RenewalRequest): Promise<RotatedSession>
  /**
   * Gives a session another token, and new `data` if that is given: for when what its login proves has
   * changed, such as an account that was bound or merged. The old token is dead from then on; login time,
   * ends and confirmation stay. Of several at once one succeeds. Two round trips to the store. Throws what
   * `setData` throws.
   *
   * @example
   * const { token } = await sessions.rotate(session, { data: { userId: merged.id } })
   */
  rotate(session: SessionSelector, options?: RotateOptions): Promise<RotatedSession>
  /**
   * Notes that the user confirms an action now, and returns when, for `confirmedWithinSeconds`. The proof is
   * what `onConfirm` judges; without that it is `{ phoneCode }`, the code of the phone number button, which
   * WeChat checks to be this user's. No number is kept. Three round trips to the store, besides the check.
   * Throws `ERR_CONFIRMATION_REFUSED`, `ERR_PHONE_CODE_INVALID`, `ERR_CONFIRMATION_LIMIT` after 5 failures
   * within 10 minutes, `ERR_SESSION_UNKNOWN`, `ERR_HOOK_FAILED` and what `phoneNumber` throws.
   *
   * Source: https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/getPhoneNumber.html
   *
   * @example
   * const confirmedAt = await sessions.confirm(session, { phoneCode })
   */
  confirm(session: SessionSelector, proof: ConfirmationProof): Promise<Date>
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
   * Ends every session of all users in one step that all processes see at the next request; a login in
   * progress gets none. Then clears the sessions away, and returns how many they were. Profiles stay. A step
   * of the clearing that fails is tried again seven times. Throws `ERR_STORE_UNAVAILABLE`, whose message says
   * so if all have ended: what is left then expires by itself, or is cleared with `resume`. Called again
   * without it, it also ends what began since. Ends the sessions of all apps in the store, also of those that
   * are not configured here; narrowed to an app, only those of this app.
   *
   * @example
   * await sessions.ofApp('wx…').revokeAll({ onProgress: (cleared) => bar.update(cleared) })
   */
  revokeAll(options?: RevokeAllOptions): Promise<number>
  /**
   * Leaves nothing of a user in the store, under any of `keys`: ends all sessions, and deletes the profile,
   * that the user was here, the kept phone number and the counts of failures. A login in progress
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
   * user; to keeping phone numbers; to what sensitive actions ask for. All else is shared, `close` included.
   * Throws a `TypeError` for a wrong option, and for an app that is not configured or not within these
   * sessions.
   *
   * @example
   * const shop = sessions.with({ appid: 'wx…', maxSessionsPerUser: 1 })
   */
  with(scope: SessionsScope): Sessions
  /** Short for `with({ appid })`. */
  ofApp(app: AppSelector): Sessions
  /**
   * Resolves if the store could write a login now; for health checks. The first one also tells the log of
   * secrets that are missing in `keys`. Throws `ERR_STORE_UNAVAILABLE`, and `ERR_SESSIONS_CLOSED` as soon as
   * `close` has been called.
   */
  ping(): Promise<void>
  /**
   * Returns how it stands, within `storeTimeoutMs`; `healthRouter` sends it. All who ask within a second
   * share one `ping` of the store. Never rejects.
   *
   * @example
   * const { isReady, store } = await sessions.health()
   */
  health(): Promise<SessionsHealth>
  /**
   * Waits for servers that `gracefulShutdown` ends, for all calls under way and for what they have begun,
   * then closes the connections to WeChat and what the store itself has opened, not a Redis client. Calls are
   * served until then; afterwards every call is `ERR_SESSIONS_CLOSED`. Health checks fail from the beginning.
   *
   * For calls it waits for as long as one login may take: `wechat.timeoutMs`, 5 seconds for each of `onLogin`
   * and `onUserInfo`, and three times `storeTimeoutMs`; 8 seconds by default. Then it tells the log, and
   * closes all the same. A further call returns the same promise. Throws `ERR_STORE_UNAVAILABLE` when the
   * store could not be closed.
   */
  close(): Promise<void>
}
