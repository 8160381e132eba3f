import type { Request } from 'express'
import { requireFields, type UserDataRequest } from '../flows/received-data.js'
import type { RotateOptions, Sessions } from '../flows/sessions.js'
import type { DecryptOptions } from '../flows/user-data.js'
import type { ServiceToken } from '../service-tokens/claims.js'
import type { Session } from '../sessions/session.js'
import type { SessionData } from '../sessions/session-data.js'
import type { UserInfo } from '../sessions/user-info.js'
import type { EncryptedData } from '../wechat/open-data.js'
import type { OpenDataAs, OpenDataOf } from '../wechat/open-data-kinds.js'
import type { PhoneInfo } from '../wechat/phone-number.js'

/**
 * `req.weapp`: the session of a request and what can be done with it.
 *
 * `res.json(req.weapp)` sends what the phone may see: `sessionId` and the four times. `unionid`, `appid`,
 * `device` and `data` are for the server; to send them, name them or copy with `{ ...req.weapp }`.
 */
export interface RequestSession
  extends Pick<
    Session,
    | 'appid'
    | 'unionid'
    | 'sessionId'
    | 'device'
    | 'createdAt'
    | 'lastVisitAt'
    | 'expiresAt'
    | 'idleExpiresAt'
    | 'confirmedAt'
    | 'data'
  > {
  /**
   * Decrypts data of this user; a fresh `code` beside it closes the race with wx.login. Encryption proves
   * little: for a phone number you can rely on, use `phoneNumber`. Throws `ERR_SESSION_KEY_STALE`,
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
   * Exchanges the code from a phone number button, which must be this user's. With `keep` (default false) the
   * number is kept for `sessions.phoneNumberOf`; the phone cannot set it. Throws `ERR_PHONE_CODE_INVALID`,
   * `ERR_PHONE_CODE_LIMIT`, `ERR_ACCESS_TOKEN_UNAVAILABLE`, `ERR_WECHAT_…`.
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
   * Replaces `data`, here and in the session, and returns it as later requests will find it: frozen. Throws
   * `ERR_SESSION_UNKNOWN` if the session has ended, and a `TypeError` for what JSON cannot hold or what takes
   * more than 4096 bytes.
   *
   * @example
   * await req.weapp.setData({ role: 'editor' })
   */
  setData(data: SessionData): Promise<SessionData>
  /**
   * Gives this session another token, which is returned for the phone, and new `data` if given; the old one
   * is dead from then on. For when what the login proves has changed. Throws `ERR_SESSION_UNKNOWN` if the
   * session has ended, and what `setData` throws.
   *
   * @example
   * res.json({ token: await req.weapp.rotate({ data: { userId: merged.id } }) })
   */
  rotate(options?: RotateOptions): Promise<string>
  /** Ends this session. */
  logout(): Promise<void>
}

interface Guarded {
  /** The user's openid, as WeChat confirmed it. Set by `requireSession()`, absent on a route without it. */
  openid: string
  /** The user's profile, or null. Set by `requireSession()`. */
  userInfo: UserInfo | null
  /** The session. Set by `requireSession()`, absent on a route without it. */
  weapp: RequestSession
}

interface ServiceGuarded {
  /**
   * The token of a request to another service. Set by `requireServiceToken()`, absent on a route without it.
   */
  serviceToken: ServiceToken
}

/** `checkedRoutes` of `WeappSession.Types` says whether the types may be missing. */
type Maybe<Properties> = WeappSession.Types extends { checkedRoutes: true }
  ? { [Name in keyof Properties]: Properties[Name] | undefined }
  : Properties

type MaybeGuarded = Maybe<Guarded & ServiceGuarded>

/** A request behind `requireSession()`, as {@link sessionHandler} gives it to its handler. */
export type SessionRequest = Request & Guarded

declare global {
  namespace Express {
    interface Request extends MaybeGuarded {}
  }
}

/** Removes what an earlier guard may have put on the request. */
export function detachSession(req: Partial<Guarded>): void {
  delete req.openid
  delete req.weapp
  req.userInfo = null
}

/** Removes what an earlier guard may have put on the request, a user of another guard among it. */
export function detachServiceToken(req: Partial<ServiceGuarded & Guarded>): void {
  delete req.serviceToken
  delete req.openid
}

/** Sets `openid` where the token has it. */
export function attachServiceToken(req: Partial<ServiceGuarded & Guarded>, token: ServiceToken): void {
  req.serviceToken = token
  if (typeof token.claims.openid === 'string') req.openid = token.claims.openid
}

export function attachSession(req: Request, sessions: Sessions, found: Session): void {
  req.openid = found.openid
  req.userInfo = found.userInfo
  req.weapp = new AttachedSession(req, sessions, found)
}

/** Its own properties are data alone, so that a copy made on the server is sent with all of them. */
class AttachedSession implements RequestSession {
  readonly #req: Request
  readonly #sessions: Sessions
  #session: Session
  sessionId: string
  readonly createdAt: Date
  readonly lastVisitAt: Date
  readonly expiresAt: Date
  readonly idleExpiresAt: Date
  readonly confirmedAt: Date | undefined
  readonly appid: string
  readonly unionid: string | undefined
  readonly device: string | undefined
  readonly data!: SessionData

  constructor(req: Request, sessions: Sessions, session: Session) {
    this.#req = req
    this.#sessions = sessions
    this.#session = session
    this.sessionId = session.sessionId
    this.createdAt = session.createdAt
    this.lastVisitAt = session.lastVisitAt
    this.expiresAt = session.expiresAt
    this.idleExpiresAt = session.idleExpiresAt
    this.confirmedAt = session.confirmedAt
    this.appid = session.appid
    this.unionid = session.unionid
    this.device = session.device
    this.#showData(session.data)
  }

  /** Nobody else may assign it: the next request would not find that. */
  #showData(value: SessionData): void {
    Object.defineProperty(this, 'data', { value, enumerable: true, configurable: true, writable: false })
  }

  decrypt<As extends OpenDataAs = 'any'>(
    encrypted: EncryptedData,
    options?: DecryptOptions<As>,
  ): Promise<OpenDataOf<As>> {
    return this.#sessions.decrypt(this.#session, encrypted, options)
  }

  async phoneNumber(
    phoneData: { readonly code: string },
    { keep }: { readonly keep?: boolean } = {},
  ): Promise<PhoneInfo> {
    const { code } = requireFields(phoneData)
    const { appid, openid } = this.#session
    return this.#sessions.phoneNumber({ code, keep, appid, openid })
  }

  async setUserInfo(userData: UserDataRequest | null): Promise<UserInfo | null> {
    this.#req.userInfo = await this.#sessions.setUserInfo(this.#session, userData)
    return this.#req.userInfo
  }

  async setData(given: SessionData): Promise<SessionData> {
    this.#showData(await this.#sessions.setData(this.#session, given))
    return this.data
  }

  async rotate(options?: RotateOptions): Promise<string> {
    const { token, session } = await this.#sessions.rotate(this.#session, options)
    this.#session = session
    this.sessionId = session.sessionId
    this.#showData(session.data)
    return token
  }

  async logout(): Promise<void> {
    await this.#sessions.revoke(this.#session)
  }

  toJSON() {
    const { sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt } = this
    return { sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt }
  }
}
