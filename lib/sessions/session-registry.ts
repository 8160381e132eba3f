import type { Logger } from '../logger.js'
import type { Apps } from './apps.js'
import { changedAllTheTime } from './contention.js'
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
import type { SessionStore, StoredSession, StoredVisit } from './store.js'
import type { SessionAddress } from './token.js'
import { decodeUserInfo } from './user-info.js'

const MOST_READS = 2
/** Each retry means that somebody else changed the record at the same time. */
const MOST_TRIES = 10

export interface Visit {
  readonly session: Session
  /** How long ago its login was, in milliseconds. */
  readonly ageMs: number
}

interface SessionRegistryParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
  readonly logger: Logger
}

/** The sessions that are there: found, visited, changed and ended. Those of other apps are unknown here. */
export class SessionRegistry {
  readonly #parts: SessionRegistryParts

  constructor(parts: SessionRegistryParts) {
    this.#parts = parts
  }

  /**
   * The live session at an address, and the visit recorded when that is due. One call of the store, or two
   * with the visit. Undefined when it is unknown, expired, revoked, unreadable, under a key that the ring no
   * longer has, or of another app than the one named. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async visit(address: SessionAddress, appid?: string): Promise<Visit | undefined> {
    const found = await this.#read(address)
    if (!found) return undefined
    const { stored, record } = found
    if (appid !== undefined && record.appid !== appid) return undefined
    const live = liveRecord(stored, this.#parts.apps, record)
    if (!live || !this.#parts.keyRing.handlesOf(record).includes(address.handle)) return undefined
    const visited = await this.#recordVisit(address, stored, live)
    return (
      visited && {
        session: sessionFrom(address.sessionId, record, visited, decodeUserInfo(stored.userInfo)),
        ageMs: stored.readAt - stored.createdAt,
      }
    )
  }

  /** The live sessions of a user, oldest login first. */
  async list(user: UserRef): Promise<SessionSummary[]> {
    const oldestFirst = this.#parts.keyRing.handlesOf(user).toReversed()
    const users = await Promise.all(oldestFirst.map((handle) => this.#parts.store.readUser(handle)))
    return users
      .flatMap(({ sessions }) => sessions)
      .flatMap((session) => {
        const live = liveRecord(session, this.#parts.apps)
        return live ? [summaryFrom(session.sessionId, live.moments)] : []
      })
  }

  async isThere({ sessionId, ...user }: SessionRef): Promise<boolean> {
    const found = this.#parts.keyRing
      .handlesOf(user)
      .map((handle) => this.#parts.store.read({ handle, sessionId }))
    return (await Promise.all(found)).some((stored) => stored !== null)
  }

  /**
   * Replaces the data of a session; returns whether it lives. Its keys and moments stay as they are, or as
   * others make them meanwhile.
   */
  async setData({ sessionId, ...user }: SessionRef, data: unknown): Promise<boolean> {
    for (const handle of this.#parts.keyRing.handlesOf(user)) {
      if (await this.#setDataAt({ handle, sessionId }, data)) return true
    }
    return false
  }

  /** Ends the session at an address, unless it is of an app that is not known here. */
  async revokeAt(address: SessionAddress): Promise<void> {
    if (this.#parts.apps.isNarrowed) {
      const stored = await this.#parts.store.read(address)
      if (!stored || !liveRecord(stored, this.#parts.apps)) return
    }
    await this.#parts.store.revoke(address)
  }

  /** Ends one session; returns whether there was one. */
  async revoke({ sessionId, ...user }: SessionRef): Promise<boolean> {
    const revoked = this.#parts.keyRing
      .handlesOf(user)
      .map((handle) => this.#parts.store.revoke({ handle, sessionId }))
    return (await Promise.all(revoked)).includes(true)
  }

  /** Ends all sessions of a user, except one if named; returns how many. A login under way gets none. */
  async revokeUser(user: UserRef, exceptSessionId?: string): Promise<number> {
    const revoked = this.#parts.keyRing
      .handlesOf(user)
      .map((handle) => this.#parts.store.revokeUser(handle, exceptSessionId))
    return (await Promise.all(revoked)).reduce((sum, count) => sum + count, 0)
  }

  /** Ends every session of all users and apps, then clears them away; returns how many they were. */
  async revokeAll(): Promise<number> {
    let revoked = 0
    let cursor: string | undefined
    do {
      const batch = await this.#parts.store.revokeBatch(cursor)
      revoked += batch.revoked
      cursor = batch.next
    } while (cursor !== undefined)
    return revoked
  }

  async #setDataAt(address: SessionAddress, data: unknown): Promise<boolean> {
    const { handle, sessionId } = address
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const stored = await this.#parts.store.read(address)
      const live = stored && liveRecord(stored, this.#parts.apps)
      if (!live) return false
      const change = { sessionId, from: stored.record, to: encodeRecord({ ...live.record, data }) }
      if ((await this.#parts.store.rewrite(handle, [change])) === 1) return true
    }
    throw changedAllTheTime()
  }

  /**
   * Reads a session; once more when its record makes no sense, which may be true of the reply alone. What
   * stays unreadable is refused and told, and left for somebody to look at; a record of a newer release is
   * not ours to judge.
   */
  async #read(address: SessionAddress): Promise<{ stored: StoredVisit; record: SessionRecord } | undefined> {
    let stored: StoredVisit | null = null
    for (let reads = 0; reads < MOST_READS; reads += 1) {
      stored = await this.#parts.store.read(address)
      if (!stored) return undefined
      const record = decodeRecord(stored.record)
      if (record) return { stored, record }
    }
    if (stored && !isOfNewerRelease(stored.record)) {
      this.#parts.logger.error(
        `the record of session ${address.sessionId} cannot be read: the session is refused`,
      )
    }
    return undefined
  }

  /** Writes the visit if it is due. Returns the moments after it; undefined if the session has ended. */
  async #recordVisit(
    address: SessionAddress,
    stored: StoredSession,
    { app, moments }: LiveRecord,
  ): Promise<SessionMoments | undefined> {
    const { lifetimes } = app
    if (!isTouchDue(stored, moments.expiresAt, lifetimes)) return moments
    const { sessionDurationMs } = lifetimes
    try {
      const visit = await this.#parts.store.touch(address, { sessionDurationMs, endsBy: moments.expiresAt })
      return visit ? { ...moments, lastVisitAt: visit.lastVisitAt, idleExpiresAt: visit.endsAt } : undefined
    } catch {
      // The session was there a moment ago, and the next request tries again.
      return moments
    }
  }
}
