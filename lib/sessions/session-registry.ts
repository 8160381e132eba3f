import type { Logger } from '../logger.js'
import type { Apps } from './apps.js'
import { changedAllTheTime } from './contention.js'
import { type EndOfAllOptions, endAllSessions } from './end-of-all.js'
import { addressOwned, type KeyRing } from './key-ring.js'
import { drawDuration, isTouchDue } from './lifetimes.js'
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
import { addressNamed, publicIdOf, type SessionAddress } from './token.js'
import { decodeUserInfo } from './user-info.js'

/** Each further try means that another process has changed the record in between. */
const MOST_TRIES = 10

/** What changes in a record, given the time of the store in milliseconds. */
type RecordFields = (readAt: number) => Partial<SessionRecord>

interface SessionRegistryParts {
  readonly apps: Apps
  readonly store: Required<SessionStore>
  readonly keyRing: KeyRing
  readonly logger: Logger
}

interface FoundSession {
  readonly stored: StoredVisit
  readonly live: LiveRecord
}

export interface Visit {
  readonly session: Session
  readonly ageMs: number
  readonly confirmationAgeMs: number
}

/** The live sessions of the apps. Those of other apps are unknown. */
export class SessionRegistry {
  readonly #parts: SessionRegistryParts

  constructor(parts: SessionRegistryParts) {
    this.#parts = parts
  }

  /**
   * Returns the live session at an address, with its age and that of its confirmation (Infinity: none) in
   * milliseconds, and records the visit if that is due. Undefined when it has ended, is unreadable, under a
   * key that the ring no longer has, or of another app. One store call, two with the visit. Throws
   * `ERR_STORE_UNAVAILABLE`.
   */
  async visit(address: SessionAddress, appid?: string): Promise<Visit | undefined> {
    const found = await this.#readLive(address)
    if (!found) return undefined
    const { stored, live } = found
    if (appid !== undefined && live.record.appid !== appid) return undefined
    const isDue = isTouchDue(stored, live.moments.expiresAt, live.lifetimes)
    const moments = isDue ? await this.#recordVisit(address, live) : live.moments
    if (!moments) return undefined
    const { confirmedAt = Number.NEGATIVE_INFINITY } = live.record
    return {
      session: sessionAt(address, found, moments),
      ageMs: stored.readAt - stored.createdAt,
      confirmationAgeMs: stored.readAt - confirmedAt,
    }
  }

  /** Returns the live session at an address as `visit` does, and leaves its times as they are. */
  async find(address: SessionAddress): Promise<Session | undefined> {
    const found = await this.#readLive(address)
    return found && sessionAt(address, found, found.live.moments)
  }

  /** Lists the live sessions of a user, oldest login first. */
  async list(user: UserRef): Promise<SessionSummary[]> {
    const { apps, keyRing, store } = this.#parts
    const oldestFirst = keyRing.handlesOf(user).toReversed()
    const listed = oldestFirst.map(async (handle) => {
      const { sessions } = await store.readUser(handle)
      return sessions.flatMap((session) => {
        const live = liveRecord(session, apps.find(user.appid))
        const id = publicIdOf({ handle, sessionId: session.sessionId })
        return live ? [summaryFrom(id, live.record, live.moments)] : []
      })
    })
    return (await Promise.all(listed)).flat()
  }

  async isThere(session: SessionRef): Promise<boolean> {
    const { keyRing, store } = this.#parts
    const address = addressOwned(keyRing, session)
    return address !== undefined && (await store.read(address)) !== null
  }

  /** Replaces the data of a session, and nothing else of it. Returns whether it is alive. */
  async setData(session: SessionRef, data: unknown): Promise<boolean> {
    return (await this.#change(session, () => ({ data }))) !== undefined
  }

  /** Notes that the user has just confirmed an action; returns when, undefined if the session has ended. */
  async confirm(session: SessionRef): Promise<number | undefined> {
    return this.#change(session, (readAt) => ({ confirmedAt: readAt }))
  }

  /** Ends the session at an address; within a narrowed scope only if it is of its app. */
  async revokeAt(address: SessionAddress): Promise<void> {
    const { apps, store } = this.#parts
    if (apps.isNarrowed) {
      const stored = await store.read(address)
      if (!stored || !liveRecord(stored, apps.ofToken(address.handle))) return
    }
    await store.revoke(address)
  }

  /** Ends a session; returns whether there was one. */
  async revoke(session: SessionRef): Promise<boolean> {
    const { keyRing, store } = this.#parts
    const address = addressOwned(keyRing, session)
    return address !== undefined && store.revoke(address)
  }

  /**
   * Ends all sessions of a user, except one if named, and the logins in progress; returns how many sessions.
   */
  async revokeUser(user: UserRef, exceptSessionId?: string): Promise<number> {
    const { keyRing, store } = this.#parts
    const spared = exceptSessionId === undefined ? undefined : addressNamed(exceptSessionId)
    const revoked = keyRing
      .handlesOf(user)
      .map((handle) => store.revokeUser(handle, spared?.handle === handle ? spared.sessionId : undefined))
    return (await Promise.all(revoked)).reduce((sum, count) => sum + count, 0)
  }

  /**
   * Ends every session: of all apps, also of those that are not configured here; within a narrowed scope only
   * those of its app. Returns how many.
   */
  async revokeAll(options: EndOfAllOptions = {}): Promise<number> {
    const { apps, store, logger } = this.#parts
    const group = apps.isNarrowed ? apps.choose(undefined).group : null
    return endAllSessions({ ...options, store, group, logger })
  }

  /** Returns when the record was read that was changed; undefined if the session has ended. */
  async #change(session: SessionRef, changeAt: RecordFields): Promise<number | undefined> {
    const address = addressOwned(this.#parts.keyRing, session)
    if (!address) return undefined
    const { apps, store } = this.#parts
    const { handle, sessionId } = address
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const stored = await store.read(address)
      const live = stored && liveRecord(stored, apps.find(session.appid))
      if (!live) return undefined
      const to = encodeRecord({ ...live.record, ...changeAt(stored.readAt) })
      const change = { sessionId, from: stored.record, to }
      if ((await store.rewrite(handle, [change])) === 1) return stored.readAt
    }
    throw changedAllTheTime()
  }

  /** Reads a session that is alive, of these apps, and under a key that the ring still has. */
  async #readLive(address: SessionAddress): Promise<FoundSession | undefined> {
    const { store } = this.#parts
    const found = this.#judged(address, await store.read(address))
    if (found !== 'unreadable') return found
    // Only the reply may have been damaged.
    const stored = await store.read(address)
    const foundAgain = this.#judged(address, stored)
    if (foundAgain !== 'unreadable') return foundAgain
    if (stored) this.#tellUnreadable(address, stored)
    return undefined
  }

  #judged({ handle }: SessionAddress, stored: StoredVisit | null): FoundSession | 'unreadable' | undefined {
    if (!stored) return undefined
    const { apps, keyRing } = this.#parts
    const app = apps.ofToken(handle)
    const record = decodeRecord(stored.record, app?.appid ?? '')
    if (!record) return 'unreadable'
    const live = liveRecord(stored, app, record)
    return live && keyRing.hasHandle(record, handle) ? { stored, live } : undefined
  }

  #tellUnreadable(address: SessionAddress, { record }: StoredVisit): void {
    if (isOfNewerRelease(record)) return
    const id = publicIdOf(address)
    this.#parts.logger.error(`the record of session ${id} cannot be read: the session is refused`)
  }

  /** Records a visit. Returns the new moments; undefined if the session has ended meanwhile. */
  async #recordVisit(
    address: SessionAddress,
    { app, lifetimes, moments }: LiveRecord,
  ): Promise<SessionMoments | undefined> {
    const sessionDurationMs = drawDuration(lifetimes.sessionDurationMs, app.lifetimeJitter)
    try {
      const visit = await this.#parts.store.touch(address, { sessionDurationMs, endsBy: moments.expiresAt })
      return visit ? { ...moments, lastVisitAt: visit.lastVisitAt, idleExpiresAt: visit.endsAt } : undefined
    } catch {
      // The session was alive when it was read, and the next request tries again.
      return moments
    }
  }
}

function sessionAt(
  address: SessionAddress,
  { stored, live }: FoundSession,
  moments: SessionMoments,
): Session {
  return sessionFrom(publicIdOf(address), live.record, moments, decodeUserInfo(stored.userInfo))
}
