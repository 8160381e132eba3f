import type { Clock } from '../clock.js'

/** Of the time that is left for a change, so much is kept for the way of its answer. */
const SHARE_FOR_THE_ANSWER = 0.25

/**
 * What time it is in Redis, as far as its replies have told: moments are microseconds since 1970. It goes by the monotonic clock of the
 * process, so that a wall clock that is wrong, or set, does not matter. The moment it tells is never later than the true one.
 */
export class RedisClock {
  /** From the monotonic clock to the moment in Redis. */
  #offset: number | undefined

  /** The time of the process, in microseconds since an arbitrary moment. */
  now(): number {
    return performance.now() * 1000
  }

  /** Learns from a reply that it was this moment in Redis, some time between the question and the reply. */
  learn(moment: number, askedAt: number): void {
    const [earliest, latest] = [moment - this.now(), moment - askedAt]
    const known = this.#offset
    if (known === undefined || known < earliest || known > latest) this.#offset = earliest
  }

  /** The last moment in Redis at which a change is wanted by somebody who waits until `deadline`; 0 before anything was learnt. */
  lastMomentFor(deadline: number): number {
    if (this.#offset === undefined) return 0
    const now = this.now()
    return Math.floor(this.#offset + now + (deadline - now) * (1 - SHARE_FOR_THE_ANSWER))
  }
}

/** Tells how many milliseconds are left, whenever it is asked; undefined: there is no end to them. */
export type Countdown = () => number | undefined

/** Counts down from now on. */
export function countdown(withinMs: number | undefined): Countdown {
  if (withinMs === undefined) return () => undefined
  const end = performance.now() + withinMs
  return () => end - performance.now()
}

/** Moments in microseconds by the clock of a test, no two of which are the same; '' for the clock of Redis. */
export function momentsOf(clock: Clock | undefined): () => number | '' {
  let count = 0
  return () => {
    count = (count + 1) % 1000
    return clock ? Math.floor(clock()) * 1000 + count : ''
  }
}
