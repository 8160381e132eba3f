import { WeappError } from '../errors.js'
import type { CheckedIdentity } from '../exchange.js'
import type { Logger } from '../logger.js'
import { type App, lifetimesOf } from './app-info.js'
import { revokedMeanwhile } from './contention.js'
import type { KeyRing } from './key-ring.js'
import { drawLifetimes } from './lifetimes.js'
import { liveRecord } from './live-record.js'
import { decodeRecord, encodeRecord, type SessionRecord } from './record.js'
import { type Session, sessionFrom, type UserRef } from './session.js'
import type { IssueResult, SessionEntry, SessionStore } from './store.js'
import { addressOf, groupIn, newToken, publicIdOf, type SessionAddress } from './token.js'
import { decodeUserInfo, encodeUserInfo, type UserInfo } from './user-info.js'
import type { UserProfiles } from './user-profiles.js'

/** A login that begins a session. */
export interface NewSession {
  readonly identity: CheckedIdentity
  readonly data: unknown
  /** The device that logs in, in a few words. */
  readonly device?: string | undefined
  /** A new profile; undefined keeps the present one. */
  readonly userInfo: UserInfo | undefined
  /** Overrides the cap of the app and of {@link SessionCap}. */
  readonly maxSessionsPerUser: number | undefined
  /** The idle lifetime where the app sets none, in milliseconds. Default: that of the app. */
  readonly sessionDurationMs?: number | undefined
  /** The token that came with the login: its session ends. */
  readonly presentedToken: string | undefined
  /** When the login began, by the clock of the store in microseconds. Default: now. */
  readonly beganAt?: number | undefined
}

export interface IssuedSession {
  readonly token: string
  readonly session: Session
  /** Whether the user had logged in before. */
  readonly seenBefore: boolean
}

/** How many sessions a user may have, and whether one more ends the oldest or is refused. */
export interface SessionCap {
  readonly maxSessionsPerUser: number
  readonly onLimit: 'end-oldest' | 'refuse'
}

interface SessionIssuerParts {
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
  readonly profiles: UserProfiles
  readonly cap: SessionCap
  readonly logger: Logger
}

/** Issues sessions, within the cap of their users. */
export class SessionIssuer {
  readonly #parts: SessionIssuerParts

  constructor(parts: SessionIssuerParts) {
    this.#parts = parts
  }

  /** One round trip. Throws `ERR_SESSION_LIMIT`, `ERR_CODE_INVALID`, `ERR_STORE_UNAVAILABLE`. */
  async issue(app: App, start: NewSession): Promise<IssuedSession> {
    const { keyRing, profiles, cap } = this.#parts
    const user: UserRef = { appid: app.appid, openid: start.identity.openid }
    const [handle = '', ...olderHandles] = keyRing.handlesOf(user)
    const token = newToken(handle)
    const address = addressOf(token) as SessionAddress
    const presented = start.presentedToken === undefined ? undefined : addressOf(start.presentedToken)
    const replaces = presented?.handle === handle ? presented.sessionId : undefined
    const earlier = olderHandles.length > 0 ? await profiles.underOlderKeys(user) : undefined
    const lifetimes = drawLifetimes(lifetimesOf(app, start.sessionDurationMs), app.lifetimeJitter)
    const { loginDurationMs, sessionDurationMs } = lifetimes
    const record = this.#recordOf(user, loginDurationMs, start, address.sessionId)
    const { createdAt, lastVisitAt, endsAt, ...result } = await this.#write(app, {
      address,
      record: encodeRecord(record),
      beganAt: start.beganAt,
      loginDurationMs,
      sessionDurationMs,
      maxSessions: start.maxSessionsPerUser ?? app.maxSessionsPerUser ?? cap.maxSessionsPerUser,
      onLimit: cap.onLimit,
      replaces,
      userInfo: start.userInfo ? encodeUserInfo(start.userInfo) : earlier?.userInfo,
      userInfoDurationMs: app.userInfoDurationMs,
    })
    if (start.userInfo && earlier) await profiles.set(app, user.openid, start.userInfo)
    if (presented && replaces === undefined) await this.#revokePresented(presented, app)
    const moments = { createdAt, lastVisitAt, expiresAt: createdAt + loginDurationMs, idleExpiresAt: endsAt }
    return {
      token,
      session: sessionFrom(publicIdOf(address), record, moments, decodeUserInfo(result.userInfo)),
      seenBefore: result.seenBefore || earlier !== undefined,
    }
  }

  #recordOf(user: UserRef, loginDurationMs: number, start: NewSession, sessionId: string): SessionRecord {
    const { identity, device, data, sessionDurationMs } = start
    return {
      ...user,
      unionid: identity.unionid,
      loginDurationMs,
      sealedSessionKey: this.#parts.keyRing.seal(identity.sessionKey.reveal(), { ...user, sessionId }),
      sealedPreviousKey: undefined,
      device,
      sessionDurationMs,
      data,
    }
  }

  async #write(app: App, entry: SessionEntry): Promise<IssueResult & { state: 'issued' }> {
    const { store, logger } = this.#parts
    let result = await store.issue(entry)
    if (result.state === 'refused' && (await this.#revokeStale(app, entry.address.handle))) {
      result = await store.issue(entry)
    }
    if (result.state === 'issued') return result
    if (result.state === 'revoked') throw revokedMeanwhile(app, logger)
    throw new WeappError('ERR_SESSION_LIMIT', 'Too many sessions. Log out on another device first.')
  }

  /** Ends sessions that are over since the app was given shorter lifetimes. Returns whether there was any. */
  async #revokeStale(app: App, handle: string): Promise<boolean> {
    const { store } = this.#parts
    const { sessions } = await store.readUser(handle)
    const stale = sessions.filter(
      (session) => decodeRecord(session.record, app.appid) && !liveRecord(session, app),
    )
    const revoked = stale.map(({ sessionId }) => store.revoke({ handle, sessionId }))
    return (await Promise.all(revoked)).includes(true)
  }

  /** Ends the session of the user who was logged in before on this phone. The login succeeds in any case. */
  async #revokePresented(address: SessionAddress, app: App): Promise<void> {
    const { store, logger } = this.#parts
    if (groupIn(address.handle) !== app.group) return
    try {
      const stored = await store.read(address)
      if (stored && decodeRecord(stored.record, app.appid)) await store.revoke(address)
    } catch {
      logger.warn('the session of another user, whose token came with a login, could not be ended')
    }
  }
}
