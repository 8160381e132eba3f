import type { Clock } from './clock.js'
import type { Logger } from './logger.js'

const PAUSE_MS = 60_000
/** Of so many kinds it is remembered when they were told; one more forgets the oldest. */
const MOST_KINDS = 100

interface ToldKind {
  readonly at: number
  more: number
}

/**
 * Writes one line of a kind a minute, with how many more there were since. Whatever can happen again and
 * again must not fill the log.
 */
export class ThrottledLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #told = new Map<string, ToldKind>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** Writes a line, or counts it where its kind was told less than a minute ago. Returns whether it wrote. */
  write(level: keyof Logger, kind: string, line: string): boolean {
    const before = this.#told.get(kind)
    const now = this.#clock()
    if (before && Math.abs(now - before.at) < PAUSE_MS) {
      before.more += 1
      return false
    }
    this.#remember(kind, now)
    const more = before && before.more > 0 ? `; ${before.more} more since it was last logged` : ''
    this.#logger[level](line + more)
    return true
  }

  #remember(kind: string, now: number): void {
    this.#told.delete(kind)
    for (const oldest of this.#told.keys()) {
      if (this.#told.size < MOST_KINDS) break
      this.#told.delete(oldest)
    }
    this.#told.set(kind, { at: now, more: 0 })
  }
}
