import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'

const MOST_DIFFERENCE_MS = 60_000

/** Compares the clock of the store with that of this process, and tells the log once when they are more than a minute apart. */
export class ClockWatch {
  readonly #clock: Clock
  readonly #logger: Logger
  #isTold = false

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock
    this.#logger = logger
  }

  /** It was this time in the store a moment ago, in milliseconds since 1970. */
  compare(storeTimeMs: number): void {
    if (this.#isTold) return
    const aheadMs = this.#clock() - storeTimeMs
    if (Math.abs(aheadMs) <= MOST_DIFFERENCE_MS) return
    this.#isTold = true
    const way = aheadMs > 0 ? 'ahead of' : 'behind'
    this.#logger.warn(
      `the clock of this process is ${Math.round(Math.abs(aheadMs) / 1000)} s ${way} that of the session store, by which sessions live`,
    )
  }
}
