import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Identity } from '../exchange.js'
import type { Logger } from '../logger.js'
import type { App, AppBook } from './app-info.js'
import type { KeyRing } from './key-ring.js'
import { isTouchDue, nearestEnd } from './lifetimes.js'
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
import type { SessionStore, StoredVisit } from './store.js'
import { addressOf, handleOf, newToken, type SessionAddress } from './token.js'
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

interface SessionBookParts {
  readonly apps: AppBook
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
  readonly cap: SessionCap
  readonly clock: Clock
  readonly logger: Logger
}

/** Issues, reads, touches and ends sessions: the rules of time, cap and secrecy on top of a plain store. */
export class SessionBook {
  readonly #apps: AppBook
  readonly #store: Required<SessionStore>
  readonly #keyRing: KeyRing
  readonly #cap: SessionCap
  readonly #clock: Clock
  readonly #logger: Logger

  constructor(parts: SessionBookParts) {
    this.#apps = parts.apps
    this.#store = parts.store
    this.#keyRing = parts.keyRing
    this.#cap = parts.cap
    this.#clock = parts.clock
    this.#logger = parts.logger
  }

  /** Starts a session in one round trip. Throws `ERR_SESSION_LIMIT`, `ERR_STORE_UNAVAILABLE`. */
  async issue(app: App, start: NewSession): Promise<IssuedSession> {
    const { identity } = start
    const user: UserRef = { appid: app.appid, openid: identity.openid }
    const handle = handleOf(user.appid, user.openid)
    const token = newToken(handle)
    const address = addressOf(token) as SessionAddress
    const now = this.#clock()
    const times = { createdAt: now, lastVisitAt: now, expiresAt: now + app.lifetimes.loginDurationMs }
    const record: SessionRecord = {
      ...user,
      unionid: identity.unionid,
      createdAt: times.createdAt,
      expiresAt: times.expiresAt,
      touchAfterMs: app.lifetimes.touchAfterMs,
      sealedSessionKey: this.#keyRing.seal(identity.sessionKey, { ...user, sessionId: address.sessionId }),
      sealedPreviousKey: undefined,
      data: start.data,
    }
    const presented = start.presentedToken === undefined ? undefined : addressOf(start.presentedToken)
    const isSameUser = presented?.handle === handle

    const result = await this.#store.issue({
      address,
      record: encodeRecord(record),
      createdAt: now,
      dropAt: nearestEnd(times, app.lifetimes),
      expiresAt: times.expiresAt,
      maxSessions: start.maxSessionsPerUser ?? app.maxSessionsPerUser ?? this.#cap.maxSessionsPerUser,
      onLimit: this.#cap.onLimit,
      replaces: isSameUser ? presented?.sessionId : undefined,
      userInfo: start.userInfo && encodeUserInfo(start.userInfo),
      userInfoDropAt: now + app.userInfoDurationMs,
    })
    if (!result.issued) {
      throw new WeappError('ERR_SESSION_LIMIT', 'Too many sessions. Log out on another device first.')
    }
    if (presented && !isSameUser) await this.#endPresented(presented, app)
    const moments = { ...times, idleExpiresAt: nearestEnd(times, app.lifetimes) }
    return {
      token,
      session: sessionFrom(address.sessionId, record, moments, decodeUserInfo(result.userInfo)),
      seenBefore: result.seenBefore,
    }
  }

  /**
   * The live session at an address, and the visit recorded when that is due. One call of the store, or two with the visit.
   * Nothing when it is unknown, expired, revoked, unreadable or of another app than the one named. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async visit(address: SessionAddress, appid?: string): Promise<Session | undefined> {
    const found = await this.#read(address)
    if (!found) return undefined
    const { stored, record } = found
    if (appid !== undefined && record.appid !== appid) return undefined
    const live = liveRecord(stored, this.#apps, this.#clock(), record)
    const visited = live && (await this.#recordVisit(address, live))
    return visited && sessionFrom(address.sessionId, record, visited, decodeUserInfo(stored.userInfo))
  }

  /** Whether a user has logged in before, as long as that is remembered: for the `userInfoDurationDays` of the app. */
  async hasSeen(user: UserRef): Promise<boolean> {
    return this.#store.hasSeen(handleOf(user.appid, user.openid))
  }

  /** The live sessions of a user, oldest login first. */
  async list(user: UserRef): Promise<SessionSummary[]> {
    const stored = await this.#store.list(handleOf(user.appid, user.openid))
    return stored.flatMap((session) => {
      const live = liveRecord(session, this.#apps, this.#clock())
      return live ? [summaryFrom(session.sessionId, live.moments)] : []
    })
  }

  /** Ends one session; answers whether there was one. */
  async end(session: SessionRef): Promise<boolean> {
    return this.#store.remove({
      handle: handleOf(session.appid, session.openid),
      sessionId: session.sessionId,
    })
  }

  /** Ends the session at an address. */
  async endAt(address: SessionAddress): Promise<void> {
    await this.#store.remove(address)
  }

  /** Ends all sessions of a user, except one if named; answers how many. */
  async endAllOf(user: UserRef, exceptSessionId?: string): Promise<number> {
    return this.#store.removeUser(handleOf(user.appid, user.openid), exceptSessionId)
  }

  /** Ends every session that exists at the call, of all users and apps; answers how many. */
  async endAll(): Promise<number> {
    let ended = 0
    let cursor: string | undefined
    do {
      const batch = await this.#store.removeBatch(cursor)
      ended += batch.removed
      cursor = batch.next
    } while (cursor !== undefined)
    return ended
  }

  /** Sets the profile of a user, or deletes it. */
  async setUserInfo(app: App, openid: string, userInfo: UserInfo | null): Promise<void> {
    const handle = handleOf(app.appid, openid)
    await this.#store.writeUserInfo(
      handle,
      userInfo && encodeUserInfo(userInfo),
      this.#clock() + app.userInfoDurationMs,
    )
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
      if (stored && decodeRecord(stored.record)?.appid === app.appid) await this.#store.remove(address)
    } catch {
      this.#logger.warn('the session of another user, whose token came with a login, could not be ended')
    }
  }

  /** Writes the visit down if it is due. Answers the moments as they stand then, or nothing if the session has ended meanwhile. */
  async #recordVisit(address: SessionAddress, live: LiveRecord): Promise<SessionMoments | undefined> {
    const { lifetimes } = live.app
    // The store still counts by the session duration of the login, which may have been shorter.
    const touchAfterMs = Math.min(lifetimes.touchAfterMs, live.record.touchAfterMs)
    const now = this.#clock()
    if (!isTouchDue(now, live.moments.lastVisitAt, touchAfterMs)) return live.moments
    const times = { ...live.moments, lastVisitAt: now }
    const idleExpiresAt = nearestEnd(times, lifetimes)
    try {
      const isThere = await this.#store.touch(address, now, idleExpiresAt)
      return isThere ? { ...times, idleExpiresAt } : undefined
    } catch {
      // The session was there a moment ago, and the next request tries again.
      return live.moments
    }
  }
}
