import type { Request } from 'express'
import type { Sessions } from '../flows/sessions.js'
import type { UserDataRequest } from '../flows/user-data.js'
import type { Session } from '../sessions/session.js'
import type { UserInfo } from '../sessions/user-info.js'
import type { EncryptedData, OpenData } from '../wechat/open-data.js'

/** `req.weapp`: the session of a request and what can be done with it. */
export interface RequestSession
  extends Pick<
    Session,
    'appid' | 'unionid' | 'sessionId' | 'createdAt' | 'lastVisitAt' | 'expiresAt' | 'idleExpiresAt' | 'data'
  > {
  /**
   * Decrypts data of this user. Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`.
   *
   * @example
   * const { stepInfoList } = await req.weapp.decrypt(req.body)
   */
  decrypt(data: EncryptedData): Promise<OpenData>
  /**
   * Sets the user's profile, also in `req.userInfo`; null deletes it. Throws `ERR_SESSION_KEY_STALE`,
   * `ERR_DATA_MALFORMED`, `ERR_REQUEST_INVALID`.
   */
  setUserInfo(data: UserDataRequest | null): Promise<UserInfo | null>
  /** Ends this session. */
  logout(): Promise<void>
}

declare global {
  namespace Express {
    interface Request {
      /** Who it is, by WeChat's word. Set by `requireSession()`; not there on a route without it. */
      openid: string
      /** The user's profile, or null. Set by `requireSession()`. */
      userInfo: UserInfo | null
      /** The session. Set by `requireSession()`; not there on a route without it. */
      weapp: RequestSession
    }
  }
}

/** Takes what an earlier guard may have put on the request away: nobody is logged in here. */
export function detachSession(req: Partial<Pick<Request, 'openid' | 'userInfo' | 'weapp'>>): void {
  delete req.openid
  delete req.weapp
  req.userInfo = null
}

/** Puts a session on the request. */
export function attachSession(req: Request, sessions: Sessions, session: Session): void {
  const { appid, openid, unionid, sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt, data } =
    session
  req.openid = openid
  req.userInfo = session.userInfo
  req.weapp = {
    appid,
    unionid,
    sessionId,
    createdAt,
    lastVisitAt,
    expiresAt,
    idleExpiresAt,
    data,
    decrypt: (encrypted) => sessions.decrypt(session, encrypted),
    async setUserInfo(userData) {
      req.userInfo = await sessions.setUserInfo(session, userData)
      return req.userInfo
    },
    async logout() {
      await sessions.revoke(session)
    },
  }
}
