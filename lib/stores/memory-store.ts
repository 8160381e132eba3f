import { type Clock, systemClock } from '../clock.js'
import { checkOptionNames, optionalFunction, positiveInteger } from '../options.js'
import type {
  Claim,
  IssueResult,
  RecordChange,
  RemovedBatch,
  SessionEntry,
  SessionStore,
  StoredSession,
  StoredVisit,
} from '../sessions/store.js'
import type { SessionAddress } from '../sessions/token.js'

const SWEEP_MS = 60_000

/** Options of {@link MemoryStore}. */
export interface MemoryStoreOptions {
  /** How many sessions are kept at most, and profiles, claims and shared values; one more drops the oldest. Default 100000. */
  maxSessions?: number
  /** Tells the time. Default: the machine's clock. */
  clock?: Clock
}

interface Kept {
  readonly address: SessionAddress
  record: string
  readonly createdAt: number
  lastVisitAt: number
  dropAt: number
}

interface Dropping {
  readonly text: string
  readonly dropAt: number
}

/**
 * Keeps sessions in the memory of this process: for trying things out and for tests. They are gone after a restart and
 * unknown to other processes. Bounded, and swept once a minute by a timer that does not keep the process alive.
 *
 * @example
 * const sessions = createSessions({ apps, store: new MemoryStore() })
 */
export class MemoryStore implements SessionStore {
  readonly #clock: Clock
  readonly #maxSessions: number
  readonly #sessions = new Map<string, Kept>()
  readonly #users = new Map<string, Set<Kept>>()
  /** Empty for a user who has no profile: it tells that the user was here. */
  readonly #userInfo = new Map<string, Dropping>()
  readonly #claims = new Map<string, Dropping>()
  readonly #answers = new Map<string, Dropping>()
  readonly #values = new Map<string, Dropping>()
  readonly #sweeper: NodeJS.Timeout

  constructor(options: MemoryStoreOptions = {}) {
    checkOptionNames<MemoryStoreOptions>('MemoryStore', options, { maxSessions: true, clock: true })
    this.#maxSessions = positiveInteger('MemoryStore: maxSessions', options.maxSessions ?? 100_000)
    this.#clock = optionalFunction('MemoryStore: clock', options.clock) ?? systemClock
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

  async read(address: SessionAddress): Promise<StoredVisit | null> {
    const kept = this.#live(address)
    return kept ? { ...stored(kept), userInfo: this.#liveText(this.#userInfo, address.handle) || null } : null
  }

  async hasSeen(handle: string): Promise<boolean> {
    return this.#liveText(this.#userInfo, handle) !== null
  }

  async issue(entry: SessionEntry): Promise<IssueResult> {
    const { address, record, createdAt, dropAt } = entry
    const { handle } = address
    const leaving = [address.sessionId, entry.replaces]
    const staying = this.#liveOf(handle).filter((kept) => !leaving.includes(kept.address.sessionId))
    const excess = staying.length + 1 - entry.maxSessions
    if (excess > 0 && entry.onLimit === 'refuse') return { issued: false, seenBefore: false, userInfo: null }
    for (const oldest of staying.slice(0, Math.max(0, excess))) this.#drop(oldest)
    for (const sessionId of leaving) if (sessionId !== undefined) this.#dropAt({ handle, sessionId })
    this.#keep({ address, record, createdAt, lastVisitAt: createdAt, dropAt })
    const before = this.#liveText(this.#userInfo, handle)
    const profile = entry.userInfo ?? before ?? ''
    this.#keepText(this.#userInfo, handle, profile, entry.userInfoDropAt)
    return { issued: true, seenBefore: before !== null, userInfo: profile || null }
  }

  async touch(address: SessionAddress, lastVisitAt: number, dropAt: number): Promise<boolean> {
    const kept = this.#live(address)
    if (!kept) return false
    if (kept.lastVisitAt < lastVisitAt) Object.assign(kept, { lastVisitAt, dropAt })
    return true
  }

  async remove(address: SessionAddress): Promise<boolean> {
    const kept = this.#live(address)
    if (kept) this.#drop(kept)
    return kept !== undefined
  }

  async removeUser(handle: string, exceptSessionId?: string): Promise<number> {
    const ending = this.#liveOf(handle).filter(({ address }) => address.sessionId !== exceptSessionId)
    for (const kept of ending) this.#drop(kept)
    return ending.length
  }

  async list(handle: string): Promise<StoredSession[]> {
    return this.#liveOf(handle).map(stored)
  }

  async writeUserInfo(handle: string, userInfo: string | null, dropAt: number): Promise<void> {
    this.#keepText(this.#userInfo, handle, userInfo ?? '', dropAt)
  }

  async rewrite(handle: string, changes: readonly RecordChange[]): Promise<number> {
    let replaced = 0
    for (const { sessionId, from, to } of changes) {
      const kept = this.#live({ handle, sessionId })
      if (kept?.record !== from) continue
      kept.record = to
      replaced += 1
    }
    return replaced
  }

  async claim(id: string, claimant: string, dropAt: number): Promise<Claim> {
    const answer = this.#liveText(this.#answers, id)
    if (answer !== null) return { state: 'settled', answer }
    const owner = this.#liveText(this.#claims, id)
    if (owner !== null && owner !== claimant) return { state: 'pending' }
    this.#keepText(this.#claims, id, claimant, dropAt)
    return { state: 'claimed' }
  }

  async settle(id: string, answer: string, dropAt: number): Promise<void> {
    this.#keepText(this.#answers, id, answer, dropAt)
  }

  async release(id: string, claimant: string): Promise<void> {
    if (this.#liveText(this.#claims, id) === claimant) this.#claims.delete(id)
  }

  async readValue(id: string): Promise<string | null> {
    return this.#liveText(this.#values, id)
  }

  async replaceValue(id: string, from: string | null, to: string | null, dropAt: number): Promise<boolean> {
    if (this.#liveText(this.#values, id) !== from) return false
    if (to === null) this.#values.delete(id)
    else this.#keepText(this.#values, id, to, dropAt)
    return true
  }

  async removeBatch(): Promise<RemovedBatch> {
    this.#sweep()
    const removed = this.#sessions.size
    this.#sessions.clear()
    this.#users.clear()
    return { removed, next: undefined }
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    clearInterval(this.#sweeper)
  }

  #live(address: SessionAddress): Kept | undefined {
    const kept = this.#sessions.get(keyOf(address))
    return kept && this.#clock() < kept.dropAt ? kept : undefined
  }

  #liveOf(handle: string): Kept[] {
    const now = this.#clock()
    const live = [...(this.#users.get(handle) ?? [])].filter(({ dropAt }) => now < dropAt)
    return live.sort((one, other) => one.createdAt - other.createdAt)
  }

  #liveText(texts: Map<string, Dropping>, key: string): string | null {
    const found = texts.get(key)
    return found && this.#clock() < found.dropAt ? found.text : null
  }

  #keep(kept: Kept): void {
    const { handle } = kept.address
    for (const oldest of this.#sessions.values()) {
      if (this.#sessions.size < this.#maxSessions) break
      this.#drop(oldest)
    }
    this.#sessions.set(keyOf(kept.address), kept)
    this.#users.set(handle, (this.#users.get(handle) ?? new Set()).add(kept))
  }

  #dropAt(address: SessionAddress): void {
    const kept = this.#sessions.get(keyOf(address))
    if (kept) this.#drop(kept)
  }

  #drop(kept: Kept): void {
    const { handle } = kept.address
    const own = this.#users.get(handle)
    this.#sessions.delete(keyOf(kept.address))
    own?.delete(kept)
    if (own?.size === 0) this.#users.delete(handle)
  }

  #keepText(texts: Map<string, Dropping>, key: string, text: string, dropAt: number): void {
    texts.delete(key)
    for (const oldest of texts.keys()) {
      if (texts.size < this.#maxSessions) break
      texts.delete(oldest)
    }
    texts.set(key, { text, dropAt })
  }

  #sweep(): void {
    const now = this.#clock()
    for (const kept of this.#sessions.values()) if (now >= kept.dropAt) this.#drop(kept)
    for (const texts of [this.#userInfo, this.#claims, this.#answers, this.#values]) {
      for (const [key, { dropAt }] of texts) if (now >= dropAt) texts.delete(key)
    }
  }
}

function keyOf({ handle, sessionId }: SessionAddress): string {
  return `${handle}:${sessionId}`
}

function stored({ address, record, lastVisitAt }: Kept): StoredSession {
  return { sessionId: address.sessionId, record, lastVisitAt }
}
