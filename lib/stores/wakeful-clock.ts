/**
 * Returns a clock of milliseconds since an arbitrary moment. The monotonic clock stands still while a machine
 * is suspended, and that of the machine may be set back, so the later of the two counts. Differences may
 * still be negative, after the clock of the machine was set forward and back.
 */
export function wakefulMs(): () => number {
  const beginning = Date.now() - performance.now()
  return () => Math.max(performance.now(), Date.now() - beginning)
}

/** Whether less than `limitMs` have passed since `moment`, by the same clock as `now`. */
export function isWithin(limitMs: number, moment: number, now: number): boolean {
  const passed = now - moment
  return passed >= 0 && passed < limitMs
}
