const SECOND_MS = 1000
const DAY_MS = 24 * 60 * 60 * SECOND_MS

/** The two lifetimes of an app's sessions, and when a visit is written, in whole milliseconds. */
export interface Lifetimes {
  /** From login to the absolute end. */
  readonly loginDurationMs: number
  /** From the last visit to the idle end. */
  readonly sessionDurationMs: number
  /** From the last recorded visit to the next one worth a write. */
  readonly touchAfterMs: number
}

/** What a session knows of time: moments in milliseconds since 1970, by the clock of the store. */
export interface SessionTimes {
  readonly createdAt: number
  readonly lastVisitAt: number
  /** The absolute end as it was fixed at login. */
  readonly expiresAt: number
}

/** Turns the durations of an app (days, seconds, share of the idle window) into milliseconds. */
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

/**
 * The absolute end: never later than it was fixed at login, so a longer duration set afterwards extends
 * nothing; earlier when the app's duration has been shortened since.
 */
export function absoluteEnd(times: SessionTimes, lifetimes: Lifetimes): number {
  return Math.min(times.expiresAt, times.createdAt + lifetimes.loginDurationMs)
}

export function nearestEnd(times: SessionTimes, lifetimes: Lifetimes): number {
  return Math.min(times.lastVisitAt + lifetimes.sessionDurationMs, absoluteEnd(times, lifetimes))
}

/** Whether the session lives at `now`: up to, but not including, the nearer end. */
export function isAlive(now: number, times: SessionTimes, lifetimes: Lifetimes): boolean {
  return now < nearestEnd(times, lifetimes)
}

/** A session as a store holds it: when it was read, its last recorded visit, and when the store drops it. */
export interface KeptTimes {
  readonly readAt: number
  readonly lastVisitAt: number
  readonly endsAt: number
}

/**
 * Whether so much time has passed since the last recorded visit that this one is to be written down. The
 * store counts by the session duration of that visit, which may have been shorter than it is now; an end that
 * is the absolute one no visit can move.
 */
export function isTouchDue(kept: KeptTimes, absoluteEnd: number, lifetimes: Lifetimes): boolean {
  const { touchAfterMs, sessionDurationMs } = lifetimes
  const keptForMs = kept.endsAt < absoluteEnd ? kept.endsAt - kept.lastVisitAt : sessionDurationMs
  const share = Math.min(1, keptForMs / sessionDurationMs)
  return kept.readAt - kept.lastVisitAt >= touchAfterMs * share
}

function atLeastOne(milliseconds: number): number {
  return Math.max(1, Math.round(milliseconds))
}
