import type { Clock } from '../clock.js'

/** Share of the time that is left for a change which is kept for its reply. */
const SHARE_FOR_THE_REPLY = 0.25

/**
 * What time it is in Redis, as far as its replies have told: moments are microseconds since 1970. It goes by
 * the monotonic clock of the process, so that a wall clock that is wrong, or set, does not matter. The moment
 * it tells is not later than the true one, unless the clock of Redis has been set back since the last reply.
 */
export class RedisClock {
  /** From the monotonic clock to the moment in Redis. */
  #offset: number | undefined
  readonly #hasManyMasters: boolean

  constructor(hasManyMasters: boolean) {
    this.#hasManyMasters = hasManyMasters
  }

  /** The time of the process, in microseconds since an arbitrary moment. */
  now(): number {
    return performance.now() * 1000
  }

  /**
   * Learns from a reply that it was this moment in Redis, some time between the question and the reply. Where
   * several masters have clocks of their own, it goes by the one that is behind, until that makes a change
   * come too late.
   */
  learn(moment: number, askedAt: number, isLate: boolean): void {
    const [earliest, latest] = [moment - this.now(), moment - askedAt]
    const known = this.#offset
    const mayRise = isLate || !this.#hasManyMasters
    if (known === undefined || known > latest || (mayRise && known < earliest)) this.#offset = earliest
  }

  /** Returns the last moment for a change that is awaited until `deadline`; 0 while the time is unknown. */
  lastMomentFor(deadline: number): number {
    if (this.#offset === undefined) return 0
    const now = this.now()
    return Math.floor(this.#offset + now + (deadline - now) * (1 - SHARE_FOR_THE_REPLY))
  }
}

/**
 * Tells moments in microseconds by the clock of a test. It tells milliseconds, so the last three digits count
 * the calls, that a moment may be told from the one before.
 */
export function countedMicros(clock: Clock): () => number {
  let calls = 0
  return () => {
    calls = (calls + 1) % 1000
    return Math.floor(clock()) * 1000 + calls
  }
}
