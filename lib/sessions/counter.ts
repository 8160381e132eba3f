import type { Clock } from '../clock.js'
import { MOST_COUNTED, type SessionStore, type StoredValue } from './store.js'
import { valueIdOf } from './token.js'

/** How many counts of its own a process remembers; one more drops the oldest. */
const MOST_OWN = 10_000

/** The app or user that a count belongs to. */
export interface CounterSubject {
  readonly appid: string
  readonly openid?: string
  /** Separates counts of one app or user. */
  readonly about?: string
}

interface CounterParts {
  readonly store: Required<SessionStore>
  /** The clock of this process, for its own counts. */
  readonly clock: Clock
  /** Separates counts of different things. */
  readonly purpose: string
  /** How long a count lasts from its first event, in milliseconds. */
  readonly windowMs: number
}

/**
 * Counts the events of a subject within a time window, across all processes. The store sees digests and
 * numbers only. Each process also remembers its own counts, for when the store cannot be written to.
 */
export class Counter {
  readonly #parts: CounterParts
  /** The counts of this process by id, each with its end by the clock of the process. */
  readonly #own = new Map<string, { readonly events: number; readonly until: number }>()

  constructor(parts: CounterParts) {
    this.#parts = parts
  }

  /** Returns the events in this window. One round trip. Throws `ERR_STORE_UNAVAILABLE`. */
  async countOf(subject: CounterSubject): Promise<number> {
    const id = this.#idOf(subject)
    return Math.max(eventsIn(await this.#parts.store.readValue(id)), this.#ownOf(id).events)
  }

  /** Counts an event and returns the new count. One round trip. Throws `ERR_STORE_UNAVAILABLE`. */
  async add(subject: CounterSubject): Promise<number> {
    const { store, windowMs } = this.#parts
    const id = this.#idOf(subject)
    this.#addOwn(id)
    return (await store.addToValue({ id, add: 1, keepMs: windowMs })).number
  }

  /** Counts one event less, as if it had not been. One round trip. Throws `ERR_STORE_UNAVAILABLE`. */
  async takeBack(subject: CounterSubject): Promise<void> {
    const { store, windowMs } = this.#parts
    const id = this.#idOf(subject)
    const own = this.#own.get(id)
    if (own) this.#own.set(id, { ...own, events: Math.max(0, own.events - 1) })
    await store.addToValue({ id, add: -1, keepMs: windowMs })
  }

  /** Deletes a count from the store, not from the memory of a process. Throws `ERR_STORE_UNAVAILABLE`. */
  async forget(subject: CounterSubject): Promise<void> {
    const { store, windowMs } = this.#parts
    await store.addToValue({ id: this.#idOf(subject), add: -MOST_COUNTED, keepMs: windowMs })
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

  #ownOf(id: string) {
    const now = this.#parts.clock()
    const newUntil = now + this.#parts.windowMs
    const count = this.#own.get(id)
    // A count that ends after `newUntil` began before the clock was set back: it is over.
    return count && now < count.until && count.until <= newUntil ? count : { events: 0, until: newUntil }
  }

  #idOf({ about = '', ...owner }: CounterSubject): string {
    return valueIdOf({ ...owner, purpose: `count ${this.#parts.purpose} ${about}` })
  }
}

/** Text that is not a number counts as 0. */
function eventsIn(found: StoredValue | null): number {
  return Number(found?.text) || 0
}
