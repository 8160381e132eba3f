/**
 * Returns a pause between half of it and all of it, at random: those that have failed at the same moment must
 * not all try again at the same moment. `random` returns numbers from 0 up to 1.
 */
export function jittered(pauseMs: number, random: () => number = Math.random): number {
  return pauseMs * (1 - random() / 2)
}
