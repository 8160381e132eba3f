const SECOND_MS = 1000
const DAY_MS = 24 * 60 * 60 * SECOND_MS
/** The record writes a login duration in days: further digits would cost bytes and spread no better. */
const DIGITS_OF_DAYS = 4

/** The lifetimes of an app's sessions in whole milliseconds. */
export interface Lifetimes {
  /** The absolute lifetime, from login. */
  readonly loginDurationMs: number
  /** The idle lifetime, from the last visit. */
  readonly sessionDurationMs: number
  /** From the last recorded visit to the next one that is recorded. */
  readonly touchAfterMs: number
}

/** The times of a session by the clock of the store, in milliseconds since 1970. */
export interface SessionTimes {
  readonly createdAt: number
  readonly lastVisitAt: number
  /** The absolute end, as set at login. */
  readonly expiresAt: number
}

/** `touchShare` is `touchAfterMs` as a share of the session duration. */
export function lifetimesFrom(
  loginDurationDays: number,
  sessionDurationSeconds: number,
  touchShare: number,
): Lifetimes {
  const sessionDurationMs = atLeastOne(sessionDurationSeconds * SECOND_MS)
  return {
    loginDurationMs: atLeastOne(loginDurationDays * DAY_MS),
    sessionDurationMs,
    touchAfterMs: atLeastOne(sessionDurationMs * touchShare),
  }
}

/** Returns the lifetimes with another idle lifetime; visits are recorded after the same share of it. */
export function withSessionDuration(lifetimes: Lifetimes, sessionDurationMs: number): Lifetimes {
  const touchShare = lifetimes.touchAfterMs / lifetimes.sessionDurationMs
  return { ...lifetimes, sessionDurationMs, touchAfterMs: atLeastOne(sessionDurationMs * touchShare) }
}

/**
 * Returns the lifetimes of one login, each shorter by a share of its own of up to `jitter`, never longer.
 * `random` returns numbers from 0 up to 1.
 */
export function drawLifetimes(
  { loginDurationMs, sessionDurationMs }: Lifetimes,
  jitter: number,
  random: () => number = Math.random,
): Pick<Lifetimes, 'loginDurationMs' | 'sessionDurationMs'> {
  if (jitter === 0) return { loginDurationMs, sessionDurationMs }
  const days = shortened(loginDurationMs, jitter, random) / DAY_MS
  const unit = 10 ** (Math.floor(Math.log10(days)) + 1 - DIGITS_OF_DAYS)
  // Rounding down may bring it below the shortest that is allowed, by a thousandth.
  const roundedMs = atLeastOne(Number((Math.floor(days / unit) * unit).toPrecision(DIGITS_OF_DAYS)) * DAY_MS)
  return { loginDurationMs: roundedMs, sessionDurationMs: drawDuration(sessionDurationMs, jitter, random) }
}

/** Returns a duration that is shorter by a share of up to `jitter`, in whole milliseconds. */
export function drawDuration(durationMs: number, jitter: number, random: () => number = Math.random): number {
  return jitter === 0 ? durationMs : atLeastOne(shortened(durationMs, jitter, random))
}

/** The absolute end: as set at login, or earlier if the app's login duration has been shortened since. */
export function absoluteEnd(times: SessionTimes, lifetimes: Lifetimes): number {
  return Math.min(times.expiresAt, times.createdAt + lifetimes.loginDurationMs)
}

/** The idle or the absolute end, whichever is earlier. */
export function nearestEnd(times: SessionTimes, lifetimes: Lifetimes): number {
  return Math.min(times.lastVisitAt + lifetimes.sessionDurationMs, absoluteEnd(times, lifetimes))
}

/** Whether the session is alive at `now`: up to, but not including, its end. */
export function isAlive(now: number, times: SessionTimes, lifetimes: Lifetimes): boolean {
  return now < nearestEnd(times, lifetimes)
}

/** Whether a visit at `readAt` is to be recorded. `endsAt` is the end that the store applies. */
export function isTouchDue(
  { readAt, lastVisitAt, endsAt }: { readAt: number; lastVisitAt: number; endsAt: number },
  absoluteEnd: number,
  { touchAfterMs, sessionDurationMs }: Lifetimes,
): boolean {
  // The last recorded visit may have been given a shorter session duration than is configured now.
  const durationMs = endsAt < absoluteEnd ? endsAt - lastVisitAt : sessionDurationMs
  return readAt - lastVisitAt >= touchAfterMs * Math.min(1, durationMs / sessionDurationMs)
}

function shortened(durationMs: number, jitter: number, random: () => number): number {
  return durationMs * (1 - jitter * random())
}

function atLeastOne(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds))
}
