import loadLruCache, { type LruCache } from './lru-cache.cjs'
import { isWithin } from './wakeful-clock.js'

/** A user, and what ends sessions of many users, as both were read from the store. */
export interface Known<User, Marks> {
  readonly user: User
  readonly marks: Marks
}

/** A read that is under way: what it finds may be kept unless that is changed meanwhile. */
export interface Reading {
  readonly handle: string
  readonly beganAt: number
  /** How often the marks had changed when it began. */
  readonly markChanges: number
  isUserChanged: boolean
}

interface LocalCacheParts<User> {
  readonly maxUsers: number
  /** The size of all users together, in the unit of `sizeOf`. */
  readonly maxSize: number
  readonly sizeOf: (user: User) => number
  /** For how long what was read is kept, in milliseconds. */
  readonly lifetimeMs: number
  /** Whether this process is told of every change at present. */
  readonly isTold: () => boolean
  /** A clock of milliseconds. */
  readonly now: () => number
}

interface Kept<Value> {
  readonly value: Value
  readonly readAt: number
}

/**
 * Keeps users as they were read, for as long as this process is told of every change. What is changed while
 * it is read is not kept: the reply may be older than the news of the change.
 */
export class LocalCache<User extends object, Marks extends object> {
  readonly #parts: LocalCacheParts<User>
  readonly #users: LruCache<string, Kept<User>>
  #marks: Kept<Marks> | undefined
  #markChanges = 0
  /** The reads under way, by handle. */
  readonly #readings = new Map<string, Set<Reading>>()

  constructor(parts: LocalCacheParts<User>) {
    this.#parts = parts
    const { LRUCache: Cache } = loadLruCache()
    this.#users = new Cache<string, Kept<User>>({
      max: parts.maxUsers,
      maxSize: parts.maxSize,
      sizeCalculation: ({ value }) => Math.max(1, parts.sizeOf(value)),
    })
  }

  /** How many users are kept. */
  get size(): number {
    return this.#users.size
  }

  get(handle: string): Known<User, Marks> | undefined {
    const { isTold, now, lifetimeMs } = this.#parts
    const [kept, marks] = [this.#users.get(handle), this.#marks]
    if (!kept || !marks || !isTold()) return undefined
    const present = now()
    if (!isWithin(lifetimeMs, marks.readAt, present)) return undefined
    return isWithin(lifetimeMs, kept.readAt, present) ? { user: kept.value, marks: marks.value } : undefined
  }

  /** Begins a read, before its question is sent; undefined while nothing can be kept. */
  begin(handle: string): Reading | undefined {
    const { isTold, now } = this.#parts
    if (!isTold()) return undefined
    const reading = { handle, beganAt: now(), markChanges: this.#markChanges, isUserChanged: false }
    this.#readings.set(handle, (this.#readings.get(handle) ?? new Set()).add(reading))
    return reading
  }

  /** Ends a read, and keeps what it has found and nothing has changed since. Each read has to be ended. */
  end(reading: Reading, found: Known<User, Marks> | undefined): void {
    const { handle, beganAt: readAt } = reading
    const ofUser = this.#readings.get(handle)
    ofUser?.delete(reading)
    if (ofUser?.size === 0) this.#readings.delete(handle)
    if (!found || !this.#parts.isTold()) return
    if (!reading.isUserChanged) this.#users.set(handle, { value: found.user, readAt })
    if (reading.markChanges === this.#markChanges) this.#marks = { value: found.marks, readAt }
  }

  drop(handle: string): void {
    this.#users.delete(handle)
    for (const reading of this.#readings.get(handle) ?? []) reading.isUserChanged = true
  }

  dropMarks(): void {
    this.#marks = undefined
    this.#markChanges += 1
  }

  clear(): void {
    this.#users.clear()
    this.dropMarks()
    for (const readings of this.#readings.values())
      for (const reading of readings) reading.isUserChanged = true
  }
}
