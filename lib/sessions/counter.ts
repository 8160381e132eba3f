import type { Clock } from '../clock.js'
import { changedAllTheTime } from './contention.js'
import type { SessionStore, StoredValue } from './store.js'
import { valueIdOf } from './token.js'

/** Each further try means that another process has changed the count in between. */
const MOST_TRIES = 5
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

  /**
   * Counts an event and returns the new count; Infinity when too many are counted at the same time. Two round
   * trips. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async add(subject: CounterSubject): Promise<number> {
    const { store, windowMs } = this.#parts
    const id = this.#idOf(subject)
    this.#addOwn(id)
    let found = await store.readValue(id)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const events = eventsIn(found) + 1
      const keepMs = found ? undefined : windowMs
      const change = { id, from: found?.text ?? null, to: String(events), keepMs }
      const { isReplaced, value } = await store.replaceValue(change)
      if (isReplaced) return events
      found = value
    }
    return Number.POSITIVE_INFINITY
  }

  /** Counts one event less, as if it had not been. Two round trips. Throws `ERR_STORE_UNAVAILABLE`. */
  async takeBack(subject: CounterSubject): Promise<void> {
    const { store } = this.#parts
    const id = this.#idOf(subject)
    const own = this.#own.get(id)
    if (own) this.#own.set(id, { ...own, events: Math.max(0, own.events - 1) })
    let found = await store.readValue(id)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const events = eventsIn(found)
      if (!found || events === 0) return
      const { isReplaced, value } = await store.replaceValue({ id, from: found.text, to: String(events - 1) })
      if (isReplaced) return
      found = value
    }
  }

  /** Deletes a count from the store, not from the memory of a process. Throws `ERR_STORE_UNAVAILABLE`. */
  async forget(subject: CounterSubject): Promise<void> {
    const { store } = this.#parts
    const id = this.#idOf(subject)
    let found = await store.readValue(id)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (!found) return
      const { isReplaced, value } = await store.replaceValue({ id, from: found.text, to: null })
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
