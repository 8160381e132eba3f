/** Tells the time in milliseconds since 1970, as `Date.now` does. Injected, so that tests can move it. */
export type Clock = () => number

/** The clock of the machine. */
export const systemClock: Clock = () => Date.now()

/**
 * Tells moments of a clock in microseconds, no two of which are the same unless the clock is set back in between: for clocks that tell
 * milliseconds, and for those that stand still in tests.
 */
export function distinctMicros(clock: Clock): () => number {
  let latestMs = Number.NEGATIVE_INFINITY
  let latest = Number.NEGATIVE_INFINITY
  return () => {
    const now = Math.floor(clock())
    latest = now < latestMs ? now * 1000 : Math.max(now * 1000, latest + 1)
    latestMs = now
    return latest
  }
}
