import { type Clock, systemClock } from '../clock.js'
import { checkOptionNames, optionalFunction, positiveInteger } from '../options.js'
import type {
  CodeClaim,
  IssueResult,
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
  /** How many sessions are kept at most, and profiles, and codes; one more drops the oldest. Default 100000. */
  maxSessions?: number
  /** Tells the time. Default: the machine's clock. */
  clock?: Clock
}

interface Kept {
  readonly handle: string
  readonly record: string
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
  readonly #users = new Map<string, Set<string>>()
  readonly #userInfo = new Map<string, Dropping>()
  readonly #codes = new Map<string, Dropping>()
  readonly #sweeper: NodeJS.Timeout

  constructor(options: MemoryStoreOptions = {}) {
    checkOptionNames<MemoryStoreOptions>('MemoryStore', options, { maxSessions: true, clock: true })
    this.#maxSessions = positiveInteger('MemoryStore: maxSessions', options.maxSessions ?? 100_000)
    this.#clock = optionalFunction('MemoryStore: clock', options.clock) ?? systemClock
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref()
  }

  async read({ handle, sessionId }: SessionAddress): Promise<StoredVisit | null> {
    const kept = this.#live(handle, sessionId)
    if (!kept) return null
    return { ...stored(sessionId, kept), userInfo: this.#liveText(this.#userInfo, handle) }
  }

  async issue(entry: SessionEntry): Promise<IssueResult> {
    const { handle, sessionId } = entry.address
    if (entry.replaces !== undefined) this.#drop(handle, entry.replaces)
    const own = this.#liveIds(handle)
    const excess = own.length + 1 - entry.maxSessions
    if (excess > 0 && entry.onLimit === 'refuse') {
      return { issued: false, userInfo: this.#liveText(this.#userInfo, handle) }
    }
    for (const oldest of own.slice(0, Math.max(0, excess))) this.#drop(handle, oldest)

    for (const [oldest, kept] of this.#overflow(this.#sessions)) this.#drop(kept.handle, oldest)
    this.#sessions.set(sessionId, {
      handle,
      record: entry.record,
      lastVisitAt: entry.createdAt,
      dropAt: entry.dropAt,
    })
    this.#users.set(handle, (this.#users.get(handle) ?? new Set()).add(sessionId))
    const profile = entry.userInfo ?? this.#liveText(this.#userInfo, handle)
    if (profile !== null) this.#keepText(this.#userInfo, handle, profile, entry.userInfoDropAt)
    return { issued: true, userInfo: profile }
  }

  async touch({ handle, sessionId }: SessionAddress, lastVisitAt: number, dropAt: number): Promise<boolean> {
    const kept = this.#live(handle, sessionId)
    if (!kept) return false
    if (kept.lastVisitAt < lastVisitAt) Object.assign(kept, { lastVisitAt, dropAt })
    return true
  }

  async remove({ handle, sessionId }: SessionAddress): Promise<boolean> {
    const wasThere = this.#live(handle, sessionId) !== undefined
    this.#drop(handle, sessionId)
    return wasThere
  }

  async removeUser(handle: string, exceptSessionId?: string): Promise<number> {
    const ending = this.#liveIds(handle).filter((id) => id !== exceptSessionId)
    for (const id of ending) this.#drop(handle, id)
    return ending.length
  }

  async list(handle: string): Promise<StoredSession[]> {
    return this.#liveIds(handle).flatMap((id) => {
      const kept = this.#sessions.get(id)
      return kept ? [stored(id, kept)] : []
    })
  }

  async writeUserInfo(handle: string, userInfo: string | null, dropAt: number): Promise<void> {
    if (userInfo === null) this.#userInfo.delete(handle)
    else this.#keepText(this.#userInfo, handle, userInfo, dropAt)
  }

  async claimCode(codeId: string, dropAt: number): Promise<CodeClaim> {
    const answer = this.#liveText(this.#codes, codeId)
    if (answer === null) {
      this.#keepText(this.#codes, codeId, '', dropAt)
      return { state: 'claimed' }
    }
    return answer === '' ? { state: 'pending' } : { state: 'settled', answer }
  }

  async settleCode(codeId: string, answer: string, dropAt: number): Promise<void> {
    this.#keepText(this.#codes, codeId, answer, dropAt)
  }

  async releaseCode(codeId: string): Promise<void> {
    this.#codes.delete(codeId)
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

  #live(handle: string, sessionId: string): Kept | undefined {
    const kept = this.#sessions.get(sessionId)
    if (kept?.handle !== handle) return undefined
    if (this.#clock() < kept.dropAt) return kept
    this.#drop(handle, sessionId)
    return undefined
  }

  /** In order of login: a Set keeps the order in which ids were added. */
  #liveIds(handle: string): string[] {
    return [...(this.#users.get(handle) ?? [])].filter((id) => this.#live(handle, id))
  }

  #liveText(texts: Map<string, Dropping>, key: string): string | null {
    const found = texts.get(key)
    return found && this.#clock() < found.dropAt ? found.text : null
  }

  #drop(handle: string, sessionId: string): void {
    const own = this.#users.get(handle)
    if (!own?.delete(sessionId)) return
    this.#sessions.delete(sessionId)
    if (own.size === 0) this.#users.delete(handle)
  }

  #keepText(texts: Map<string, Dropping>, key: string, text: string, dropAt: number): void {
    texts.delete(key)
    for (const [oldest] of this.#overflow(texts)) texts.delete(oldest)
    texts.set(key, { text, dropAt })
  }

  /** What has to go so that one more fits. A Map yields what was put in first first. */
  #overflow<T>(kept: Map<string, T>): [string, T][] {
    return kept.size < this.#maxSessions ? [] : [...kept].slice(0, kept.size + 1 - this.#maxSessions)
  }

  #sweep(): void {
    const now = this.#clock()
    for (const [sessionId, kept] of this.#sessions) if (now >= kept.dropAt) this.#drop(kept.handle, sessionId)
    for (const texts of [this.#userInfo, this.#codes]) {
      for (const [key, { dropAt }] of texts) if (now >= dropAt) texts.delete(key)
    }
  }
}

function stored(sessionId: string, kept: Kept): StoredSession {
  return { sessionId, record: kept.record, lastVisitAt: kept.lastVisitAt }
}
