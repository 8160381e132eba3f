import type { Request } from 'express'
import { requireFields, type UserDataRequest } from '../flows/received-data.js'
import type { Sessions } from '../flows/sessions.js'
import type { DecryptOptions } from '../flows/user-data.js'
import type { Session } from '../sessions/session.js'
import type { SessionData } from '../sessions/session-data.js'
import type { UserInfo } from '../sessions/user-info.js'
import type { EncryptedData } from '../wechat/open-data.js'
import type { OpenDataAs, OpenDataOf } from '../wechat/open-data-kinds.js'
import type { PhoneInfo } from '../wechat/phone-number.js'

/**
 * `req.weapp`: the session of a request and what can be done with it.
 *
 * `res.json(req.weapp)` sends what the phone may see: `sessionId` and the four times. `unionid`, `appid` and
 * `data` are for the server; name them, or copy with `{ ...req.weapp }`, to send them all the same.
 */
export interface RequestSession
  extends Pick<
    Session,
    'appid' | 'unionid' | 'sessionId' | 'createdAt' | 'lastVisitAt' | 'expiresAt' | 'idleExpiresAt' | 'data'
  > {
  /**
   * Decrypts data of this user; a fresh `code` beside it closes the race with wx.login. The encryption proves
   * little: for a phone number that is worth something use `phoneNumber`. Throws `ERR_SESSION_KEY_STALE`,
   * `ERR_DATA_MALFORMED`, `ERR_DECRYPTION_LIMIT`, `ERR_USER_CHANGED`, `ERR_CODE_INVALID`.
   *
   * @example
   * const { stepInfoList } = await req.weapp.decrypt(req.body, { as: 'weRun' })
   */
  decrypt<As extends OpenDataAs = 'any'>(
    data: EncryptedData,
    options?: DecryptOptions<As>,
  ): Promise<OpenDataOf<As>>
  /**
   * The phone number behind the code of a phone number button, which has to be of this user. Throws
   * `ERR_PHONE_CODE_INVALID`, `ERR_ACCESS_TOKEN_UNAVAILABLE`, `ERR_WECHAT_…`. `keep` keeps it for
   * `sessions.phoneNumberOf`; default false. It is the server's to say, so it is no part of the phone's data.
   *
   * @example
   * const { purePhoneNumber } = await req.weapp.phoneNumber(req.body)
   */
  phoneNumber(data: { readonly code: string }, options?: { readonly keep?: boolean }): Promise<PhoneInfo>
  /**
   * Sets the user's profile, also in `req.userInfo`; null deletes it. Throws `ERR_SESSION_KEY_STALE`,
   * `ERR_DATA_MALFORMED`, `ERR_REQUEST_INVALID`, `ERR_USER_INFO_REFUSED`, `ERR_HOOK_FAILED`.
   */
  setUserInfo(data: UserDataRequest | null): Promise<UserInfo | null>
  /**
   * Replaces `data`, here and in the session, and returns it as later requests will find it. What is handed
   * out is frozen: writing to it throws. Throws `ERR_SESSION_UNKNOWN` when the session has ended meanwhile, a
   * `TypeError` for what JSON cannot carry or what has more than 4096 bytes.
   *
   * @example
   * await req.weapp.setData({ role: 'editor' })
   */
  setData(data: SessionData): Promise<SessionData>
  /** Ends this session. */
  logout(): Promise<void>
}

/** What `requireSession()` puts on a request. */
interface Guarded {
  /** Who it is, by WeChat's word. Set by `requireSession()`; not there on a route without it. */
  openid: string
  /** The user's profile, or null. Set by `requireSession()`. */
  userInfo: UserInfo | null
  /** The session. Set by `requireSession()`; not there on a route without it. */
  weapp: RequestSession
}

/** What may be on any request: `WeappSession.Types` says whether routes are checked. */
type MaybeGuarded = WeappSession.Types extends { checkedRoutes: true }
  ? { [Name in keyof Guarded]: Guarded[Name] | undefined }
  : Guarded

/** A request behind `requireSession()`, as {@link sessionHandler} gives it to its handler. */
export type SessionRequest = Request & Guarded

declare global {
  namespace Express {
    interface Request extends MaybeGuarded {}
  }
}

/** Takes what an earlier guard may have put on the request away: nobody is logged in here. */
export function detachSession(req: Partial<Guarded>): void {
  delete req.openid
  delete req.weapp
  req.userInfo = null
}

/** Puts a session on the request. */
export function attachSession(req: Request, sessions: Sessions, session: Session): void {
  const { appid, openid, unionid, sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt } = session
  let { data } = session
  const shown = { sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt }
  req.openid = openid
  req.userInfo = session.userInfo
  const weapp: RequestSession = {
    ...shown,
    appid,
    unionid,
    get data() {
      return data
    },
    decrypt: (encrypted, options) => sessions.decrypt(session, encrypted, options),
    async phoneNumber(phoneData, { keep } = {}) {
      const { code } = requireFields(phoneData)
      return sessions.phoneNumber({ code, keep, appid, openid })
    },
    async setUserInfo(userData) {
      req.userInfo = await sessions.setUserInfo(session, userData)
      return req.userInfo
    },
    async setData(given) {
      data = await sessions.setData(session, given)
      return data
    },
    async logout() {
      await sessions.revoke(session)
    },
  }
  // Not enumerable, so that a copy made on the server holds all and is sent with all.
  req.weapp = Object.defineProperty(weapp, 'toJSON', { value: () => shown })
}
