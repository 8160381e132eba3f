import type { Clock } from '../clock.js'
import type { SessionStore } from './store.js'
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
  readonly clock: Clock
  /** What is counted; keeps the counts of different things apart. */
  readonly purpose: string
  /** How long after the first event a count begins anew, in milliseconds. */
  readonly windowMs: number
}

/** How often, and until when that is remembered, in milliseconds since 1970. */
interface Count {
  readonly events: number
  readonly until: number
}

/**
 * Counts events of a subject within a window of time, in all processes together. The store learns only digests and numbers. A process
 * also remembers what it has counted itself, for the time in which the store cannot be written to.
 */
export class Counter {
  readonly #store: Required<SessionStore>
  readonly #clock: Clock
  readonly #purpose: string
  readonly #windowMs: number
  /** By id. */
  readonly #own = new Map<string, Count>()

  constructor({ store, clock, purpose, windowMs }: CounterParts) {
    this.#store = store
    this.#clock = clock
    this.#purpose = purpose
    this.#windowMs = windowMs
  }

  /** How many events there were in this window. One round trip. Throws `ERR_STORE_UNAVAILABLE`. */
  async countOf(subject: CounterSubject): Promise<number> {
    const id = this.#idOf(subject)
    const shared = this.#read(await this.#store.readValue(id))?.events ?? 0
    return Math.max(shared, this.#live(this.#own.get(id))?.events ?? 0)
  }

  /**
   * Counts one more event; returns how many there are with it. Infinity when so many are counted in the same moment that this one
   * could not be. Two round trips. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async add(subject: CounterSubject): Promise<number> {
    const id = this.#idOf(subject)
    this.#addOwn(id)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const found = await this.#store.readValue(id)
      const count = this.#oneMore(this.#read(found))
      if (await this.#store.replaceValue(id, found, JSON.stringify(count), count.until)) return count.events
    }
    return Number.POSITIVE_INFINITY
  }

  #addOwn(id: string): void {
    const count = this.#oneMore(this.#live(this.#own.get(id)))
    this.#own.delete(id)
    for (const oldest of this.#own.keys()) {
      if (this.#own.size < MOST_OWN) break
      this.#own.delete(oldest)
    }
    this.#own.set(id, count)
  }

  #oneMore(count: Count = { events: 0, until: this.#clock() + this.#windowMs }): Count {
    return { ...count, events: count.events + 1 }
  }

  #read(found: string | null): Count | undefined {
    return found === null ? undefined : this.#live(JSON.parse(found) as Count)
  }

  #live(count: Count | undefined): Count | undefined {
    return count && this.#clock() < count.until ? count : undefined
  }

  #idOf({ about = '', ...whose }: CounterSubject): string {
    return valueIdOf({ ...whose, purpose: `count ${this.#purpose} ${about}` })
  }
}
