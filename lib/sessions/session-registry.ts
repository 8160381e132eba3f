import { WeappError } from '../errors.js'
import type { Identity } from '../exchange.js'
import type { Logger } from '../logger.js'
import type { App, Apps } from './app-info.js'
import { revokedMeanwhile } from './contention.js'
import type { KeyRing } from './key-ring.js'
import { isTouchDue } from './lifetimes.js'
import { type LiveRecord, liveRecord } from './live-record.js'
import { decodeRecord, encodeRecord, isOfNewerRelease, type SessionRecord } from './record.js'
import {
  type Session,
  type SessionMoments,
  type SessionRef,
  type SessionSummary,
  sessionFrom,
  summaryFrom,
  type UserRef,
} from './session.js'
import type { SessionEntry, SessionStore, StoredSession, StoredUser, StoredVisit } from './store.js'
import { addressOf, newToken, type SessionAddress } from './token.js'
import { decodeUserInfo, encodeUserInfo, type UserInfo } from './user-info.js'

const MOST_READS = 2

/** What a new session starts with. */
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

/** A session that has been found. */
export interface Visit {
  readonly session: Session
  /** How long ago its login was, in milliseconds. */
  readonly ageMs: number
}

/** A session that has just been issued. */
export interface IssuedSession {
  readonly token: string
  readonly session: Session
  /** Whether the user had logged in before. */
  readonly seenBefore: boolean
}

/** How many sessions a user may have, and what happens to one more. */
export interface SessionCap {
  readonly maxSessionsPerUser: number
  readonly onLimit: 'end-oldest' | 'refuse'
}

interface SessionRegistryParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
  readonly cap: SessionCap
  readonly logger: Logger
}

/** Issues, reads, touches and ends sessions: the rules of time, cap and secrecy on top of a plain store. */
export class SessionRegistry {
  readonly #apps: Apps
  readonly #store: Required<SessionStore>
  readonly #keyRing: KeyRing
  readonly #cap: SessionCap
  readonly #logger: Logger

  constructor(parts: SessionRegistryParts) {
    this.#apps = parts.apps
    this.#store = parts.store
    this.#keyRing = parts.keyRing
    this.#cap = parts.cap
    this.#logger = parts.logger
  }

  /** Starts a session in one round trip. Throws `ERR_SESSION_LIMIT`, `ERR_CODE_INVALID`, `ERR_STORE_UNAVAILABLE`. */
  async issue(app: App, start: NewSession): Promise<IssuedSession> {
    const { identity } = start
    const user: UserRef = { appid: app.appid, openid: identity.openid }
    const [handle = ''] = this.#handlesOf(user)
    const token = newToken(handle)
    const address = addressOf(token) as SessionAddress
    const { loginDurationMs, sessionDurationMs } = app.lifetimes
    const record: SessionRecord = {
      ...user,
      unionid: identity.unionid,
      loginDurationMs,
      sealedSessionKey: this.#keyRing.seal(identity.sessionKey, { ...user, sessionId: address.sessionId }),
      sealedPreviousKey: undefined,
      data: start.data,
    }
    const presented = start.presentedToken === undefined ? undefined : addressOf(start.presentedToken)
    const isAtHandle = presented?.handle === handle
    const earlier = await this.#underOlderKeys(user)
    const entry: SessionEntry = {
      address,
      record: encodeRecord(record),
      beganAt: start.beganAt,
      loginDurationMs,
      sessionDurationMs,
      maxSessions: start.maxSessionsPerUser ?? app.maxSessionsPerUser ?? this.#cap.maxSessionsPerUser,
      onLimit: this.#cap.onLimit,
      replaces: isAtHandle ? presented?.sessionId : undefined,
      userInfo: start.userInfo ? encodeUserInfo(start.userInfo) : earlier?.userInfo,
      userInfoDurationMs: app.userInfoDurationMs,
    }
    let result = await this.#store.issue(entry)
    if (result.state === 'refused' && (await this.#endStale(handle))) result = await this.#store.issue(entry)
    if (result.state === 'refused') {
      throw new WeappError('ERR_SESSION_LIMIT', 'Too many sessions. Log out on another device first.')
    }
    if (result.state === 'revoked') throw revokedMeanwhile(app, this.#logger)
    if (start.userInfo && earlier) await this.setUserInfo(app, user.openid, start.userInfo)
    if (presented && !isAtHandle) await this.#endPresented(presented, app)
    const { createdAt, lastVisitAt, endsAt } = result
    const moments = { createdAt, lastVisitAt, expiresAt: createdAt + loginDurationMs, idleExpiresAt: endsAt }
    return {
      token,
      session: sessionFrom(address.sessionId, record, moments, decodeUserInfo(result.userInfo)),
      seenBefore: result.seenBefore || earlier !== undefined,
    }
  }

  /**
   * The live session at an address, and the visit recorded when that is due. One call of the store, or two with the visit.
   * Nothing when it is unknown, expired, revoked, unreadable, under a key that the ring no longer has, or of another app than the one
   * named. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async visit(address: SessionAddress, appid?: string): Promise<Visit | undefined> {
    const found = await this.#read(address)
    if (!found) return undefined
    const { stored, record } = found
    if (appid !== undefined && record.appid !== appid) return undefined
    const live = liveRecord(stored, this.#apps, record)
    if (!live || !this.#handlesOf(record).includes(address.handle)) return undefined
    const visited = await this.#recordVisit(address, stored, live)
    return (
      visited && {
        session: sessionFrom(address.sessionId, record, visited, decodeUserInfo(stored.userInfo)),
        ageMs: stored.readAt - stored.createdAt,
      }
    )
  }

  /** Whether a user has logged in before, as long as that is remembered: for the `userInfoDurationDays` of the app. */
  async hasSeen(user: UserRef): Promise<boolean> {
    const known = await this.#usersAt(this.#handlesOf(user))
    return known.some(({ wasHere }) => wasHere)
  }

  /** The profile of a user, or null. */
  async userInfoOf(user: UserRef): Promise<UserInfo | null> {
    const known = await this.#usersAt(this.#handlesOf(user))
    return decodeUserInfo(
      known.find(({ wasHere, userInfo }) => wasHere || userInfo !== null)?.userInfo ?? null,
    )
  }

  /** The live sessions of a user, oldest login first. */
  async list(user: UserRef): Promise<SessionSummary[]> {
    const known = await this.#usersAt(this.#handlesOf(user).toReversed())
    return known
      .flatMap(({ sessions }) => sessions)
      .flatMap((session) => {
        const live = liveRecord(session, this.#apps)
        return live ? [summaryFrom(session.sessionId, live.moments)] : []
      })
  }

  /** Ends one session; returns whether there was one. */
  async revoke({ sessionId, ...user }: SessionRef): Promise<boolean> {
    const ended = this.#handlesOf(user).map((handle) => this.#store.revoke({ handle, sessionId }))
    return (await Promise.all(ended)).includes(true)
  }

  /** Ends the session at an address. */
  async revokeAt(address: SessionAddress): Promise<void> {
    await this.#store.revoke(address)
  }

  /** Ends all sessions of a user, except one if named; returns how many. A login under way gets none. */
  async revokeUser(user: UserRef, exceptSessionId?: string): Promise<number> {
    const ended = this.#handlesOf(user).map((handle) => this.#store.revokeUser(handle, exceptSessionId))
    return (await Promise.all(ended)).reduce((sum, count) => sum + count, 0)
  }

  /** Ends all sessions of a user, then forgets the profile and that the user was here. A login under way gets none. */
  async forget(user: UserRef): Promise<void> {
    await this.revokeUser(user)
    await Promise.all(this.#handlesOf(user).map((handle) => this.#store.writeUserInfo(handle, null, 0)))
  }

  /** Whether a session is still there. */
  async isThere({ sessionId, ...user }: SessionRef): Promise<boolean> {
    const found = this.#handlesOf(user).map((handle) => this.#store.read({ handle, sessionId }))
    return (await Promise.all(found)).some((stored) => stored !== null)
  }

  /** Ends every session of all users and apps, then clears them away; returns how many they were. */
  async revokeAll(): Promise<number> {
    let ended = 0
    let cursor: string | undefined
    do {
      const batch = await this.#store.revokeBatch(cursor)
      ended += batch.revoked
      cursor = batch.next
    } while (cursor !== undefined)
    return ended
  }

  /** Sets the profile of a user, or deletes it. */
  async setUserInfo(app: App, openid: string, userInfo: UserInfo | null): Promise<void> {
    const [newest = '', ...older] = this.#handlesOf({ appid: app.appid, openid })
    const known = await this.#usersAt(older)
    const kept = [newest, ...older.filter((_, place) => known[place]?.wasHere)]
    const text = userInfo && encodeUserInfo(userInfo)
    await Promise.all(kept.map((handle) => this.#store.writeUserInfo(handle, text, app.userInfoDurationMs)))
  }

  #handlesOf({ appid, openid }: UserRef): readonly string[] {
    return this.#keyRing.handlesOf(appid, openid)
  }

  #usersAt(handles: readonly string[]): Promise<StoredUser[]> {
    return Promise.all(handles.map((handle) => this.#store.readUser(handle)))
  }

  /** What is known of a user under the older keys of the ring; the profile only until the first login under the newest. */
  async #underOlderKeys(user: UserRef): Promise<{ userInfo: string | undefined } | undefined> {
    const handles = this.#handlesOf(user)
    if (handles.length === 1) return undefined
    const [newest, ...older] = await this.#usersAt(handles)
    const earlier = older.find(({ wasHere }) => wasHere)
    return earlier && { userInfo: newest?.wasHere ? undefined : (earlier.userInfo ?? undefined) }
  }

  /** Ends what the store counts as sessions, and the app as it is configured now does not. Returns whether there was any. */
  async #endStale(handle: string): Promise<boolean> {
    const { sessions } = await this.#store.readUser(handle)
    const stale = sessions.filter(
      (session) => decodeRecord(session.record) && !liveRecord(session, this.#apps),
    )
    const ended = stale.map(({ sessionId }) => this.#store.revoke({ handle, sessionId }))
    return (await Promise.all(ended)).includes(true)
  }

  /**
   * Reads a session; once more when its record makes no sense, which may be true of the reply alone. What stays unreadable is refused and
   * told, and left for somebody to look at; a record of a newer release is not ours to judge.
   */
  async #read(address: SessionAddress): Promise<{ stored: StoredVisit; record: SessionRecord } | undefined> {
    let stored: StoredVisit | null = null
    for (let reads = 0; reads < MOST_READS; reads += 1) {
      stored = await this.#store.read(address)
      if (!stored) return undefined
      const record = decodeRecord(stored.record)
      if (record) return { stored, record }
    }
    if (stored && !isOfNewerRelease(stored.record)) {
      this.#logger.error(`the record of session ${address.sessionId} cannot be read: the session is refused`)
    }
    return undefined
  }

  /** Somebody else used this app on this phone before. The login stands whether or not that session can be ended. */
  async #endPresented(address: SessionAddress, app: App): Promise<void> {
    try {
      const stored = await this.#store.read(address)
      if (stored && decodeRecord(stored.record)?.appid === app.appid) await this.#store.revoke(address)
    } catch {
      this.#logger.warn('the session of another user, whose token came with a login, could not be ended')
    }
  }

  /** Writes the visit down if it is due. Returns the moments as they stand then, or nothing if the session has ended meanwhile. */
  async #recordVisit(
    address: SessionAddress,
    stored: StoredSession,
    { app, moments }: LiveRecord,
  ): Promise<SessionMoments | undefined> {
    const { lifetimes } = app
    if (!isTouchDue(stored, moments.expiresAt, lifetimes)) return moments
    const { sessionDurationMs } = lifetimes
    try {
      const visit = await this.#store.touch(address, { sessionDurationMs, endsBy: moments.expiresAt })
      return visit ? { ...moments, lastVisitAt: visit.lastVisitAt, idleExpiresAt: visit.endsAt } : undefined
    } catch {
      // The session was there a moment ago, and the next request tries again.
      return moments
    }
  }
}
