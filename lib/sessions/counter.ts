import type { Clock } from '../clock.js'
import { changedAllTheTime } from './contention.js'
import type { SessionStore, StoredValue } from './store.js'
import { valueIdOf } from './token.js'

/** Each try but the first means that somebody else has counted in the same moment. */
const MOST_TRIES = 5
/** Of so many subjects a process remembers its own counts; one more forgets the oldest. */
const MOST_OWN = 10_000

/** What is counted, and in whose name. */
export interface CounterSubject {
  readonly appid: string
  readonly openid?: string
  /** Tells subjects of one app or user apart. */
  readonly about?: string
}

interface CounterParts {
  readonly store: Required<SessionStore>
  /** Of this process, for the counts of its own. */
  readonly clock: Clock
  /** What is counted; keeps the counts of different things apart. */
  readonly purpose: string
  /** How long after the first event a count begins anew, in milliseconds. */
  readonly windowMs: number
}

/**
 * How often this process has counted, and until when that is remembered, by its own clock in milliseconds
 * since 1970.
 */
interface OwnCount {
  readonly events: number
  readonly until: number
}

/**
 * Counts events of a subject within a window of time, in all processes together. The store learns only
 * digests and numbers. A process also remembers what it has counted itself, for the time in which the store
 * cannot be written to.
 */
export class Counter {
  readonly #store: Required<SessionStore>
  readonly #clock: Clock
  readonly #purpose: string
  readonly #windowMs: number
  /** By id. */
  readonly #own = new Map<string, OwnCount>()

  constructor({ store, clock, purpose, windowMs }: CounterParts) {
    this.#store = store
    this.#clock = clock
    this.#purpose = purpose
    this.#windowMs = windowMs
  }

  /** How many events there were in this window. One round trip. Throws `ERR_STORE_UNAVAILABLE`. */
  async countOf(subject: CounterSubject): Promise<number> {
    const id = this.#idOf(subject)
    return Math.max(eventsIn(await this.#store.readValue(id)), this.#ownOf(id).events)
  }

  /**
   * Counts one more event; returns how many there are with it. Infinity when so many are counted in the same
   * moment that this one could not be. Two round trips. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async add(subject: CounterSubject): Promise<number> {
    const id = this.#idOf(subject)
    this.#addOwn(id)
    let found = await this.#store.readValue(id)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const events = eventsIn(found) + 1
      const keepMs = found ? undefined : this.#windowMs
      const change = { id, from: found?.text ?? null, to: String(events), keepMs }
      const { isReplaced, value } = await this.#store.replaceValue(change)
      if (isReplaced) return events
      found = value
    }
    return Number.POSITIVE_INFINITY
  }

  /**
   * Forgets in the store what was counted. What this process has counted itself ends with its window. Throws
   * `ERR_STORE_UNAVAILABLE`.
   */
  async forget(subject: CounterSubject): Promise<void> {
    const id = this.#idOf(subject)
    let found = await this.#store.readValue(id)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (!found) return
      const { isReplaced, value } = await this.#store.replaceValue({ id, from: found.text, to: null })
      if (isReplaced) return
      found = value
    }
    throw changedAllTheTime()
  }

  #addOwn(id: string): void {
    const { events, until } = this.#ownOf(id)
    this.#own.delete(id)
    for (const oldest of this.#own.keys()) {
      if (this.#own.size < MOST_OWN) break
      this.#own.delete(oldest)
    }
    this.#own.set(id, { events: events + 1, until })
  }

  /** One that ends later than a window from now was begun before the clock was set back: it is over. */
  #ownOf(id: string): OwnCount {
    const now = this.#clock()
    const newUntil = now + this.#windowMs
    const count = this.#own.get(id)
    return count && now < count.until && count.until <= newUntil ? count : { events: 0, until: newUntil }
  }

  #idOf({ about = '', ...whose }: CounterSubject): string {
    return valueIdOf({ ...whose, purpose: `count ${this.#purpose} ${about}` })
  }
}

/** A text that is not a number counts nothing. */
function eventsIn(found: StoredValue | null): number {
  return Number(found?.text) || 0
}
