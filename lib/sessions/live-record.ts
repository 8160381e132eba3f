import type { App } from './app-info.js'
import type { Apps } from './apps.js'
import { absoluteEnd, isAlive, nearestEnd } from './lifetimes.js'
import { decodeRecord, type SessionRecord } from './record.js'
import type { SessionMoments } from './session.js'
import type { StoredSession } from './store.js'

/** The record of a session that is alive, with its configured app. */
export interface LiveRecord {
  readonly app: App
  readonly record: SessionRecord
  readonly moments: SessionMoments
}

/** Returns the record if its app is configured and it was within both lifetimes when it was read. */
export function liveRecord(
  stored: StoredSession,
  apps: Apps,
  record: SessionRecord | undefined = decodeRecord(stored.record),
): LiveRecord | undefined {
  const app = record && apps.find(record.appid)
  if (!app) return undefined
  const { createdAt, lastVisitAt } = stored
  const times = { createdAt, lastVisitAt, expiresAt: createdAt + record.loginDurationMs }
  if (!isAlive(stored.readAt, times, app.lifetimes)) return undefined
  // The store applies the session duration that was configured at the last recorded visit.
  const idleExpiresAt = Math.min(nearestEnd(times, app.lifetimes), stored.endsAt)
  return { app, record, moments: { ...times, expiresAt: absoluteEnd(times, app.lifetimes), idleExpiresAt } }
}
