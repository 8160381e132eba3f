import type { StoredVisit } from '../sessions/store.js'
import { lineIn, profileIn } from './redis-lines.js'

const ID_LENGTH = 24
/** So much a time may lag behind that of a visit, in milliseconds. */
const MOST_LAG_MS = 2_000

/** Between which moments it is now, in microseconds since 1970. */
export interface Moments {
  readonly earliest: number
  readonly latest: number
}

/**
 * Finds a session in all that is stored of a user; undefined where it is not certainly alive, or its profile
 * may just have ended, or something cannot be read. `readAt` is never ahead.
 */
export function visitIn(
  text: string,
  sessionId: string,
  latestMark: number,
  { earliest, latest }: Moments,
): StoredVisit | undefined {
  const begin = text.indexOf(`\n${sessionId}`) + 1
  if (begin === 0 || sessionId.length !== ID_LENGTH) return undefined
  const end = text.indexOf('\n', begin)
  const line = lineIn(text.slice(begin, end < 0 ? undefined : end), earliest)
  const profile = profileIn(text)
  if (!line || !profile || line.beganAt <= latestMark) return undefined

  const { record, createdAt, lastVisitAt, endsAt, readAt } = line.session
  const latestMs = Math.floor(latest / 1000)
  const isProfileOver = profile.endsAt <= readAt
  if (endsAt <= latestMs || (!isProfileOver && profile.endsAt <= latestMs)) return undefined
  return {
    sessionId,
    record,
    createdAt,
    lastVisitAt,
    endsAt,
    // Nothing was written later than it is now, unless the clock was set back.
    readAt: lastVisitAt - readAt <= MOST_LAG_MS ? Math.max(readAt, lastVisitAt) : readAt,
    userInfo: (!isProfileOver && profile.text) || null,
  }
}
