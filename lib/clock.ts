/** Returns the time in milliseconds since 1970, like `Date.now`. Injected, so that tests can move it. */
export type Clock = () => number

export const systemClock: Clock = () => Date.now()

/**
 * Returns the moments of a clock in microseconds, never the same one twice unless the clock is set back: for
 * clocks that count milliseconds or stand still.
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
