import type { Clock } from '../clock.js'
import { changedAllTheTime } from './contention.js'
import type { SessionStore, StoredValue } from './store.js'
import { valueIdOf } from './token.js'

/** Each retry means that somebody else counted at the same time. */
const MOST_TRIES = 5
/** Of so many subjects a process remembers its own counts; one more forgets the oldest. */
const MOST_OWN = 10_000

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

interface OwnCount {
  readonly events: number
  /** When it is forgotten, by the clock of this process. */
  readonly until: number
}

/**
 * Counts events of a subject within a window of time, in all processes together. A process also remembers its
 * own counts, for when the store cannot be written to. The store learns only digests and numbers.
 */
export class Counter {
  readonly #parts: CounterParts
  readonly #own = new Map<string, OwnCount>()

  constructor(parts: CounterParts) {
    this.#parts = parts
  }

  /** How many events there were in this window. One round trip. Throws `ERR_STORE_UNAVAILABLE`. */
  async countOf(subject: CounterSubject): Promise<number> {
    const id = this.#idOf(subject)
    return Math.max(eventsIn(await this.#parts.store.readValue(id)), this.#ownOf(id).events)
  }

  /**
   * Returns how many events there are with this one; Infinity when too many are counted at the same time. Two
   * round trips. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async add(subject: CounterSubject): Promise<number> {
    const id = this.#idOf(subject)
    this.#addOwn(id)
    let found = await this.#parts.store.readValue(id)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const events = eventsIn(found) + 1
      const keepMs = found ? undefined : this.#parts.windowMs
      const change = { id, from: found?.text ?? null, to: String(events), keepMs }
      const { isReplaced, value } = await this.#parts.store.replaceValue(change)
      if (isReplaced) return events
      found = value
    }
    return Number.POSITIVE_INFINITY
  }

  /** Forgets what is in the store; the own counts end with their window. Throws `ERR_STORE_UNAVAILABLE`. */
  async forget(subject: CounterSubject): Promise<void> {
    const id = this.#idOf(subject)
    let found = await this.#parts.store.readValue(id)
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      if (!found) return
      const { isReplaced, value } = await this.#parts.store.replaceValue({ id, from: found.text, to: null })
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
    const now = this.#parts.clock()
    const newUntil = now + this.#parts.windowMs
    const count = this.#own.get(id)
    return count && now < count.until && count.until <= newUntil ? count : { events: 0, until: newUntil }
  }

  #idOf({ about = '', ...whose }: CounterSubject): string {
    return valueIdOf({ ...whose, purpose: `count ${this.#parts.purpose} ${about}` })
  }
}

/** A text that is not a number counts nothing. */
function eventsIn(found: StoredValue | null): number {
  return Number(found?.text) || 0
}
