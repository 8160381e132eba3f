import type { Clock } from './clock.js'
import type { Logger } from './logger.js'

const PAUSE_MS = 60_000
/** So many kinds are told apart within a minute; all that go beyond them are one kind. */
const MOST_KINDS = 1000

interface ToldKind {
  readonly at: number
  more: number
}

/**
 * Writes one line of a kind a minute, with how many more there were since. Whatever can happen again and
 * again must not fill the log, nor what can happen in ever new ways.
 */
export class ThrottledLog {
  readonly #logger: Logger
  readonly #clock: Clock
  /** Those that were told longest ago come first, unless the clock was set. */
  readonly #told = new Map<string, ToldKind>()
  /** All kinds for which there is no room. */
  #further: ToldKind | undefined

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  /** Writes a line, or counts it where its kind was told less than a minute ago. Returns whether it wrote. */
  write(level: keyof Logger, kind: string, line: string): boolean {
    const now = this.#clock()
    const isFurther = !this.#told.has(kind) && !this.#hasRoom(now)
    const before = isFurther ? this.#further : this.#told.get(kind)
    if (before && isRecent(before, now)) {
      before.more += 1
      return false
    }
    const told = { at: now, more: 0 }
    if (isFurther) this.#further = told
    else {
      this.#told.delete(kind)
      this.#told.set(kind, told)
    }
    const those = isFurther ? 'more of many other kinds' : 'more'
    const more = before && before.more > 0 ? `; ${before.more} ${those} since it was last logged` : ''
    this.#logger[level](line + more)
    return true
  }

  /** Whether there is room for another kind; makes some if the oldest one is no longer recent. */
  #hasRoom(now: number): boolean {
    if (this.#told.size < MOST_KINDS) return true
    for (const [oldest, told] of this.#told) return !isRecent(told, now) && this.#told.delete(oldest)
    return true
  }
}

/** As a distance, because the clock may have been set. */
function isRecent({ at }: ToldKind, now: number): boolean {
  return Math.abs(now - at) < PAUSE_MS
}
