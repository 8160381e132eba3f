import { setTimeout as pause } from 'node:timers/promises'
import { WeappError } from '../errors.js'
import { jittered } from '../jitter.js'
import type { Logger } from '../logger.js'
import type { RevokedBatch, SessionStore } from './store.js'

/** How often the log is told how far it is. */
const TOLD_EVERY_MS = 10_000
/** Before a step that failed is tried again: together longer than a failover takes. */
const PAUSES_MS = [200, 400, 800, 1_600, 3_200, 6_400, 12_800]

/** How all sessions are ended. */
export interface EndOfAllOptions {
  /** Whether nothing ends, and only what has ended before is cleared away. */
  readonly isResumed?: boolean
  /** Told how many sessions are cleared away so far: first 0, once all have ended. Awaited. */
  readonly onProgress?: ((cleared: number) => unknown) | undefined
}

interface EndOfAll extends EndOfAllOptions {
  readonly store: Required<SessionStore>
  /** The group whose sessions end; null: everybody. */
  readonly group: string | null
  readonly logger: Logger
  readonly pausesMs?: readonly number[]
}

/**
 * Ends all sessions by the first step, then clears them away, and returns how many. A step that fails while
 * clearing is tried again. Throws `ERR_STORE_UNAVAILABLE`; what it says tells whether the sessions have
 * ended.
 */
export async function endAllSessions(end: EndOfAll): Promise<number> {
  const { store, group, logger, isResumed, onProgress } = end
  let { revoked, next } = await store.revokeBatch({ group, cursor: isResumed ? '' : undefined })
  let toldAt = performance.now()
  await onProgress?.(revoked)
  while (next !== undefined) {
    const batch = await clearNext(end, next, revoked)
    revoked += batch.revoked
    next = batch.next
    await onProgress?.(revoked)
    if (performance.now() - toldAt < TOLD_EVERY_MS) continue
    toldAt = performance.now()
    logger.warn(`revokeAll has ended the sessions, and cleared away ${revoked} so far`)
  }
  return revoked
}

async function clearNext(
  { store, group, pausesMs = PAUSES_MS }: EndOfAll,
  cursor: string,
  revoked: number,
): Promise<RevokedBatch> {
  for (const pauseMs of pausesMs) {
    try {
      return await store.revokeBatch({ group, cursor })
    } catch {
      await pause(jittered(pauseMs))
    }
  }
  try {
    return await store.revokeBatch({ group, cursor })
  } catch (cause) {
    const message = `These sessions have all ended, but only ${revoked} are cleared away. The others go by themselves.`
    throw new WeappError('ERR_STORE_UNAVAILABLE', message, { cause })
  }
}
