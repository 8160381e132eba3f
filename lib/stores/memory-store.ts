import { type Clock, distinctMicros, systemClock } from '../clock.js'
import { checkOptionNames, optionalFunction, positiveInteger } from '../options.js'
import {
  type CountedValue,
  checkInTime,
  type IssueResult,
  type RecordChange,
  type RecordedVisit,
  type RevocationStep,
  type RevokedBatch,
  type SessionEntry,
  type SessionStore,
  type StoredSession,
  type StoredUser,
  type StoredValue,
  type StoredVisit,
  type TouchWindow,
  USER_MARK_MS,
  type ValueAddition,
  type ValueChange,
  type ValueOutcome,
} from '../sessions/store.js'
import { groupIn, type SessionAddress } from '../sessions/token.js'
import { ExpiringMap } from './expiring-map.js'
import { MemoryValues } from './memory-values.js'

const SWEEP_MS = 60_000

/** Options of {@link MemoryStore}. */
export interface MemoryStoreOptions {
  /** The most sessions, profiles and shared values, each; one more drops the oldest. Default 100000. */
  maxSessions?: number
  /** Default: the machine's clock. */
  clock?: Clock
}

interface KeptSession {
  address: SessionAddress
  record: string
  readonly createdAt: number
  lastVisitAt: number
  endsAt: number
}

/**
 * Keeps sessions in the memory of this process, for development and tests: a restart ends them, and other
 * processes do not see them. Deletes what has ended once a minute, by a timer that does not keep the process
 * alive.
 *
 * @example
 * const sessions = createSessions({ apps, store: new MemoryStore() })
 */
export class MemoryStore implements SessionStore {
  readonly #clock: Clock
  readonly #maxSessions: number
  readonly #sessions = new Map<string, KeptSession>()
  readonly #users = new Map<string, Set<KeptSession>>()
  /** Empty for a user without a profile who has logged in before. */
  readonly #userInfo: ExpiringMap<string>
  readonly #values: MemoryValues
  /**
   * When the sessions of a user, of a group, and of all were ended: logins that began by then are revoked.
   */
  readonly #userMarks: ExpiringMap<number>
  readonly #groupMarks = new Map<string, number>()
  #mark = Number.NEGATIVE_INFINITY
  readonly #nextMoment: () => number
  readonly #sweeper: NodeJS.Timeout

  constructor(options: MemoryStoreOptions = {}) {
    checkOptionNames<MemoryStoreOptions>('MemoryStore', options, { maxSessions: true, clock: true })
    this.#maxSessions = positiveInteger('MemoryStore: maxSessions', options.maxSessions ?? 100_000)
    this.#clock = optionalFunction('MemoryStore: clock', options.clock) ?? systemClock
    this.#nextMoment = distinctMicros(this.#clock)
    const mostValues = this.#maxSessions
    this.#userInfo = new ExpiringMap(mostValues)
    this.#userMarks = new ExpiringMap(mostValues)
    this.#values = new MemoryValues({ mostValues, now: () => this.#now(), nextMoment: this.#nextMoment })
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

  async read(address: SessionAddress): Promise<StoredVisit | null> {
    const now = this.#now()
    const kept = live(this.#sessions, keyOf(address), now)
    const userInfo = this.#userInfo.get(address.handle, now)?.value || null
    return kept ? { ...stored(kept, now), userInfo } : null
  }

  async readUser(handle: string): Promise<StoredUser> {
    const now = this.#now()
    const profile = this.#userInfo.get(handle, now)?.value
    const sessions = this.#liveOf(handle, now).map((kept) => stored(kept, now))
    return { sessions, userInfo: profile || null, wasHere: profile !== undefined }
  }

  async issue(entry: SessionEntry, withinMs?: number): Promise<IssueResult> {
    checkInTime(withinMs)
    const { address, record, beganAt } = entry
    const { handle } = address
    const now = this.#now()
    if (beganAt !== undefined && beganAt <= this.#markOf(handle, now)) return { state: 'revoked' }
    if (!this.#isMatched(entry, now)) return { state: 'unmatched' }
    const leaving = [address.sessionId, entry.replaces]
    const staying = this.#liveOf(handle, now).filter((kept) => !leaving.includes(kept.address.sessionId))
    const excess = staying.length + 1 - entry.maxSessions
    if (excess > 0 && entry.onLimit === 'refuse') return { state: 'refused' }
    for (const oldest of staying.slice(0, Math.max(0, excess))) this.#drop(oldest)
    for (const kept of this.#users.get(handle) ?? [])
      if (leaving.includes(kept.address.sessionId)) this.#drop(kept)
    const createdAt = beganAt === undefined ? now : Math.floor(beganAt / 1000)
    const endsAt = Math.min(now + entry.sessionDurationMs, createdAt + entry.loginDurationMs)
    this.#keepSession({ address, record, createdAt, lastVisitAt: now, endsAt })
    const before = this.#userInfo.get(handle, now)?.value
    const profile = entry.userInfo ?? before ?? ''
    this.#userInfo.set(handle, profile, now + entry.userInfoDurationMs)
    const seenBefore = before !== undefined
    return { state: 'issued', createdAt, lastVisitAt: now, endsAt, seenBefore, userInfo: profile || null }
  }

  async touch(
    address: SessionAddress,
    { sessionDurationMs, endsBy }: TouchWindow,
    withinMs?: number,
  ): Promise<RecordedVisit | null> {
    checkInTime(withinMs)
    const now = this.#now()
    const kept = live(this.#sessions, keyOf(address), now)
    if (!kept) return null
    const visit = { lastVisitAt: now, endsAt: Math.min(now + sessionDurationMs, endsBy) }
    Object.assign(kept, visit)
    return visit
  }

  async revoke(address: SessionAddress, withinMs?: number): Promise<boolean> {
    checkInTime(withinMs)
    const kept = live(this.#sessions, keyOf(address), this.#now())
    if (kept) this.#drop(kept)
    return kept !== undefined
  }

  async revokeUser(handle: string, exceptSessionId?: string, withinMs?: number): Promise<number> {
    checkInTime(withinMs)
    const now = this.#now()
    const ending = this.#liveOf(handle, now).filter(({ address }) => address.sessionId !== exceptSessionId)
    for (const kept of ending) this.#drop(kept)
    // A clock that was set back must not move the mark back.
    const mark = Math.max(this.#nextMoment(), this.#markOf(handle, now))
    this.#userMarks.set(handle, mark, now + USER_MARK_MS)
    return ending.length
  }

  async writeUserInfo(
    handle: string,
    userInfo: string | null,
    keepMs: number,
    withinMs?: number,
  ): Promise<void> {
    checkInTime(withinMs)
    this.#userInfo.set(handle, userInfo ?? '', this.#now() + keepMs)
  }

  async rewrite(handle: string, changes: readonly RecordChange[], withinMs?: number): Promise<number> {
    checkInTime(withinMs)
    const now = this.#now()
    let replaced = 0
    for (const { sessionId, from, to, newSessionId = sessionId } of changes) {
      const kept = live(this.#sessions, keyOf({ handle, sessionId }), now)
      const made = live(this.#sessions, keyOf({ handle, sessionId: newSessionId }), now)
      if (kept?.record === from) {
        kept.record = to
        if (newSessionId !== sessionId) this.#rename(kept, newSessionId)
      } else if (newSessionId === sessionId || made?.record !== to) continue
      replaced += 1
    }
    return replaced
  }

  async readValue(id: string): Promise<StoredValue | null> {
    return this.#values.read(id)
  }

  async replaceValue(change: ValueChange, withinMs?: number): Promise<ValueOutcome> {
    return this.#values.replace(change, withinMs)
  }

  async addToValue(addition: ValueAddition, withinMs?: number): Promise<CountedValue> {
    return this.#values.add(addition, withinMs)
  }

  async revokeBatch({ group, cursor }: RevocationStep, withinMs?: number): Promise<RevokedBatch> {
    if (group === undefined) throw new TypeError('MemoryStore: revokeBatch needs a group, or null')
    checkInTime(withinMs)
    this.#sweep()
    // The first step has left nothing to delete.
    if (cursor !== undefined) return { revoked: 0, next: undefined }
    const mark = Math.max(this.#nextMoment(), this.#mark, this.#groupMarks.get(group ?? '') ?? this.#mark)
    if (group === null) this.#mark = mark
    else this.#groupMarks.set(group, mark)
    for (const [superfluous, at] of this.#groupMarks)
      if (at <= this.#mark) this.#groupMarks.delete(superfluous)
    const ending = [...this.#sessions.values()].filter(
      ({ address }) => group === null || groupIn(address.handle) === group,
    )
    for (const kept of ending) this.#drop(kept)
    return { revoked: ending.length, next: undefined }
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    clearInterval(this.#sweeper)
  }

  #now(): number {
    return Math.floor(this.#clock())
  }

  #isMatched({ address, replaces, replacesRecord }: SessionEntry, now: number): boolean {
    if (replacesRecord === undefined) return true
    const { handle } = address
    const replaced = live(this.#sessions, keyOf({ handle, sessionId: replaces ?? '' }), now)
    return replaced?.record === replacesRecord || live(this.#sessions, keyOf(address), now) !== undefined
  }

  #rename(kept: KeptSession, sessionId: string): void {
    this.#sessions.delete(keyOf(kept.address))
    kept.address = { ...kept.address, sessionId }
    this.#sessions.set(keyOf(kept.address), kept)
  }

  #markOf(handle: string, now: number): number {
    const ofUser = this.#userMarks.get(handle, now)?.value ?? this.#mark
    return Math.max(this.#mark, ofUser, this.#groupMarks.get(groupIn(handle)) ?? this.#mark)
  }

  #liveOf(handle: string, now: number): KeptSession[] {
    return [...(this.#users.get(handle) ?? [])].filter(({ endsAt }) => now < endsAt)
  }

  #keepSession(kept: KeptSession): void {
    const { handle } = kept.address
    for (const oldest of this.#sessions.values()) {
      if (this.#sessions.size < this.#maxSessions) break
      this.#drop(oldest)
    }
    this.#sessions.set(keyOf(kept.address), kept)
    this.#users.set(handle, (this.#users.get(handle) ?? new Set()).add(kept))
  }

  #drop(kept: KeptSession): void {
    const { handle } = kept.address
    const own = this.#users.get(handle)
    this.#sessions.delete(keyOf(kept.address))
    own?.delete(kept)
    if (own?.size === 0) this.#users.delete(handle)
  }

  #sweep(): void {
    const now = this.#now()
    for (const kept of this.#sessions.values()) if (now >= kept.endsAt) this.#drop(kept)
    for (const map of [this.#userInfo, this.#values, this.#userMarks]) map.sweep(now)
  }
}

function live<T extends { endsAt: number }>(map: Map<string, T>, key: string, now: number): T | undefined {
  const kept = map.get(key)
  return kept && now < kept.endsAt ? kept : undefined
}

function keyOf({ handle, sessionId }: SessionAddress): string {
  return `${handle}:${sessionId}`
}

function stored({ address, ...kept }: KeptSession, readAt: number): StoredSession {
  return { sessionId: address.sessionId, ...kept, readAt }
}
