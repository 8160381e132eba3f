import type { Clock } from '../clock.js'

/** Share of the remaining time that is reserved for the reply. */
const SHARE_FOR_THE_REPLY = 0.25
/** After this the clock of Redis may have been set, and the estimate is of no use. */
const ESTIMATE_MICROS = 1_000_000

/**
 * Estimates the time in Redis from its replies and the monotonic clock of the process, in microseconds since
 * 1970. The estimate is never ahead, unless the clock of Redis has been set back since the last reply.
 */
export class RedisClock {
  /** From the monotonic clock to that of Redis. */
  #offset: number | undefined
  #learnedAt = Number.NEGATIVE_INFINITY
  readonly #hasManyMasters: boolean

  constructor(hasManyMasters: boolean) {
    this.#hasManyMasters = hasManyMasters
  }

  /** The monotonic clock of the process, in microseconds. */
  now(): number {
    return performance.now() * 1000
  }

  /**
   * Learns the time in Redis between a question and its reply. Of several masters the clock that is behind
   * counts, until it makes a change late.
   */
  learn(moment: number, askedAt: number, isLate: boolean): void {
    const [earliest, latest] = [moment - this.now(), moment - askedAt]
    const known = this.#offset
    this.#learnedAt = this.now()
    const mayRise = isLate || !this.#hasManyMasters
    if (known === undefined || known > latest || (mayRise && known < earliest)) this.#offset = earliest
  }

  /** Returns the time in Redis; undefined when no reply has told it for a second. */
  momentNow(): number | undefined {
    const now = this.now()
    if (this.#offset === undefined || now - this.#learnedAt > ESTIMATE_MICROS) return undefined
    return Math.floor(this.#offset + now)
  }

  /** Returns until when Redis may make a change whose caller waits until `deadline`; 0 if that is unknown. */
  lastMomentFor(deadline: number): number {
    if (this.#offset === undefined) return 0
    const now = this.now()
    return Math.floor(this.#offset + now + (deadline - now) * (1 - SHARE_FOR_THE_REPLY))
  }
}

/** Returns microseconds by a test clock of milliseconds. The last three digits count the calls. */
export function countedMicros(clock: Clock): () => number {
  let calls = 0
  return () => {
    calls = (calls + 1) % 1000
    return Math.floor(clock()) * 1000 + calls
  }
}
