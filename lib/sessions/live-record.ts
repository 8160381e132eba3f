import { type App, lifetimesOf } from './app-info.js'
import { absoluteEnd, isAlive, type Lifetimes, nearestEnd } from './lifetimes.js'
import { decodeRecord, type SessionRecord } from './record.js'
import type { SessionMoments } from './session.js'
import type { StoredSession } from './store.js'

/** The record of a session that is alive, with its configured app. */
export interface LiveRecord {
  readonly app: App
  readonly record: SessionRecord
  readonly lifetimes: Lifetimes
  readonly moments: SessionMoments
}

/**
 * Returns the record of a session of this app, if that is configured and the session was within both
 * lifetimes when it was read.
 */
export function liveRecord(
  stored: StoredSession,
  app: App | undefined,
  record = app && decodeRecord(stored.record, app.appid),
): LiveRecord | undefined {
  if (!app || !record) return undefined
  const { createdAt, lastVisitAt } = stored
  const times = { createdAt, lastVisitAt, expiresAt: createdAt + record.loginDurationMs }
  const lifetimes = lifetimesOf(app, record.sessionDurationMs)
  if (!isAlive(stored.readAt, times, lifetimes)) return undefined
  // The store applies the session duration that was configured at the last recorded visit.
  const idleExpiresAt = Math.min(nearestEnd(times, lifetimes), stored.endsAt)
  const moments = { createdAt, lastVisitAt, expiresAt: absoluteEnd(times, lifetimes), idleExpiresAt }
  return { app, record, lifetimes, moments }
}
