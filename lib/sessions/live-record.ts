import type { App, AppBook } from './app-info.js'
import { absoluteEnd, isAlive, nearestEnd } from './lifetimes.js'
import { decodeRecord, type SessionRecord } from './record.js'
import type { SessionMoments } from './session.js'
import type { StoredSession } from './store.js'

/** A record whose app is configured here and whose clocks both go on. */
export interface LiveRecord {
  readonly app: App
  readonly record: SessionRecord
  readonly moments: SessionMoments
}

/** The record with its moments at `now`, if its app is configured here and neither clock has run out. */
export function liveRecord(
  stored: StoredSession,
  apps: AppBook,
  now: number,
  record: SessionRecord | undefined = decodeRecord(stored.record),
): LiveRecord | undefined {
  const app = record && apps.find(record.appid)
  if (!app) return undefined
  const { createdAt, expiresAt } = record
  const times = { createdAt, lastVisitAt: stored.lastVisitAt, expiresAt }
  if (!isAlive(now, times, app.lifetimes)) return undefined
  const idleExpiresAt = nearestEnd(times, app.lifetimes)
  return { app, record, moments: { ...times, expiresAt: absoluteEnd(times, app.lifetimes), idleExpiresAt } }
}
