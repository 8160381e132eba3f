import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import { ThrottledLog } from '../throttled-log.js'
import type { SessionStore } from './store.js'

type Method = keyof SessionStore

const MINUTE_MS = 60_000
/** So many reasons of a method are kinds of their own within a minute. Reasons may name keys. */
const MOST_REASONS = 5

/**
 * Tells that methods of a store fail: each reason once a minute, with how many more there were since. Where
 * that was told, tells that the method works again.
 */
export class StoreLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #throttled: ThrottledLog
  readonly #failing = new Set<Method>()
  /** The reasons of this minute. */
  readonly #reasons = new Map<Method, Set<string>>()
  #minuteBeganAt = Number.NEGATIVE_INFINITY

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
    this.#throttled = new ThrottledLog(logger, clock)
  }

  failed(method: Method, reason: string): void {
    const line = `the session store fails (${method}): ${reason}`
    if (this.#throttled.write('error', this.#kindOf(method, reason), line)) this.#failing.add(method)
  }

  worked(method: Method): void {
    if (this.#failing.size === 0 || !this.#failing.delete(method)) return
    this.#logger.warn(`the session store works again (${method})`)
  }

  #kindOf(method: Method, reason: string): string {
    const now = this.#clock()
    if (Math.abs(now - this.#minuteBeganAt) >= MINUTE_MS) {
      this.#minuteBeganAt = now
      this.#reasons.clear()
    }
    const reasons = this.#reasons.get(method) ?? new Set()
    this.#reasons.set(method, reasons)
    if (reasons.size >= MOST_REASONS && !reasons.has(reason)) return method
    reasons.add(reason)
    return `${method} ${reason}`
  }
}
