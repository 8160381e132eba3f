import { WeappError } from '../errors.js'
import type { Identity } from '../exchange.js'
import type { Logger } from '../logger.js'
import type { App } from './app-info.js'
import type { Apps } from './apps.js'
import { revokedMeanwhile } from './contention.js'
import type { KeyRing } from './key-ring.js'
import { liveRecord } from './live-record.js'
import { decodeRecord, encodeRecord, type SessionRecord } from './record.js'
import { type Session, sessionFrom, type UserRef } from './session.js'
import type { IssueResult, SessionEntry, SessionStore } from './store.js'
import { addressOf, newToken, type SessionAddress } from './token.js'
import { decodeUserInfo, encodeUserInfo, type UserInfo } from './user-info.js'
import type { UserProfiles } from './user-profiles.js'

export interface NewSession {
  readonly identity: Identity
  readonly data: unknown
  /** A new profile; undefined keeps the one there is. */
  readonly userInfo: UserInfo | undefined
  /** How many sessions the user may have; undefined leaves it to the app, then to the cap of all. */
  readonly maxSessionsPerUser: number | undefined
  /** The token that the phone presented while logging in: that session ends. */
  readonly presentedToken: string | undefined
  /** When the login began, in microseconds by the clock of the store; undefined: now. */
  readonly beganAt?: number | undefined
}

export interface IssuedSession {
  readonly token: string
  readonly session: Session
  readonly seenBefore: boolean
}

/** How many sessions a user may have, and what happens to one more. */
export interface SessionCap {
  readonly maxSessionsPerUser: number
  readonly onLimit: 'end-oldest' | 'refuse'
}

interface SessionIssuerParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
  readonly profiles: UserProfiles
  readonly cap: SessionCap
  readonly logger: Logger
}

/** Issues sessions: token, record, cap, and the end of the session whose token came along. */
export class SessionIssuer {
  readonly #parts: SessionIssuerParts

  constructor(parts: SessionIssuerParts) {
    this.#parts = parts
  }

  /** Takes one round trip. Throws `ERR_SESSION_LIMIT`, `ERR_CODE_INVALID`, `ERR_STORE_UNAVAILABLE`. */
  async issue(app: App, start: NewSession): Promise<IssuedSession> {
    const user: UserRef = { appid: app.appid, openid: start.identity.openid }
    const [handle = '', ...olderHandles] = this.#parts.keyRing.handlesOf(user)
    const token = newToken(handle)
    const address = addressOf(token) as SessionAddress
    const presented = start.presentedToken === undefined ? undefined : addressOf(start.presentedToken)
    const replaces = presented?.handle === handle ? presented.sessionId : undefined
    const earlier = olderHandles.length > 0 ? await this.#parts.profiles.underOlderKeys(user) : undefined
    const record = this.#recordOf(user, app, start, address.sessionId)
    const { loginDurationMs, sessionDurationMs } = app.lifetimes
    const { createdAt, lastVisitAt, endsAt, ...result } = await this.#written(app, {
      address,
      record: encodeRecord(record),
      beganAt: start.beganAt,
      loginDurationMs,
      sessionDurationMs,
      maxSessions: start.maxSessionsPerUser ?? app.maxSessionsPerUser ?? this.#parts.cap.maxSessionsPerUser,
      onLimit: this.#parts.cap.onLimit,
      replaces,
      userInfo: start.userInfo ? encodeUserInfo(start.userInfo) : earlier?.userInfo,
      userInfoDurationMs: app.userInfoDurationMs,
    })
    if (start.userInfo && earlier) await this.#parts.profiles.set(app, user.openid, start.userInfo)
    if (presented && replaces === undefined) await this.#revokePresented(presented, app)
    const moments = { createdAt, lastVisitAt, expiresAt: createdAt + loginDurationMs, idleExpiresAt: endsAt }
    return {
      token,
      session: sessionFrom(address.sessionId, record, moments, decodeUserInfo(result.userInfo)),
      seenBefore: result.seenBefore || earlier !== undefined,
    }
  }

  #recordOf(user: UserRef, app: App, { identity, data }: NewSession, sessionId: string): SessionRecord {
    return {
      ...user,
      unionid: identity.unionid,
      loginDurationMs: app.lifetimes.loginDurationMs,
      sealedSessionKey: this.#parts.keyRing.seal(identity.sessionKey, { ...user, sessionId }),
      sealedPreviousKey: undefined,
      data,
    }
  }

  async #written(app: App, entry: SessionEntry): Promise<IssueResult & { state: 'issued' }> {
    let result = await this.#parts.store.issue(entry)
    if (result.state === 'refused' && (await this.#revokeStale(entry.address.handle))) {
      result = await this.#parts.store.issue(entry)
    }
    if (result.state === 'issued') return result
    if (result.state === 'revoked') throw revokedMeanwhile(app, this.#parts.logger)
    throw new WeappError('ERR_SESSION_LIMIT', 'Too many sessions. Log out on another device first.')
  }

  /** Ends sessions that are over by the present configuration of the app. Returns whether there were any. */
  async #revokeStale(handle: string): Promise<boolean> {
    const { sessions } = await this.#parts.store.readUser(handle)
    const stale = sessions.filter(
      (session) => decodeRecord(session.record) && !liveRecord(session, this.#parts.apps),
    )
    const revoked = stale.map(({ sessionId }) => this.#parts.store.revoke({ handle, sessionId }))
    return (await Promise.all(revoked)).includes(true)
  }

  /** Another user's session on this phone. The login stands even if it cannot be ended. */
  async #revokePresented(address: SessionAddress, app: App): Promise<void> {
    try {
      const stored = await this.#parts.store.read(address)
      if (stored && decodeRecord(stored.record)?.appid === app.appid) await this.#parts.store.revoke(address)
    } catch {
      this.#parts.logger.warn(
        'the session of another user, whose token came with a login, could not be ended',
      )
    }
  }
}
