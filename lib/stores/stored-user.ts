import type { StoredVisit } from '../sessions/store.js'
import { readLine } from './redis-lines.js'

const HEAD = /^1\d{16}(\d{13})([^\n]*)/
const ID_LENGTH = 24
const MOMENTS = /^\d{42}/

/** Between which moments it is now, in microseconds since 1970. */
export interface Moments {
  readonly earliest: number
  readonly latest: number
}

/**
 * Finds a live session in all that is stored of a user; undefined as well where it cannot be read. What may
 * have passed its end has; `readAt` is never ahead.
 */
export function visitIn(
  text: string,
  sessionId: string,
  latestMark: number,
  { earliest, latest }: Moments,
): StoredVisit | undefined {
  const head = HEAD.exec(text)
  const at = text.indexOf(`\n${sessionId}`)
  if (!head || at < 0 || sessionId.length !== ID_LENGTH) return undefined
  const end = text.indexOf('\n', at + 1)
  const line = text.slice(at + 1, end < 0 ? undefined : end)
  if (!MOMENTS.test(line.slice(ID_LENGTH))) return undefined
  const { beganAt, session } = readLine(line, earliest)
  const now = Math.floor(latest / 1000)
  if (session.endsAt <= now || beganAt <= latestMark) return undefined
  const [, profileEnd, profile] = head
  return { ...session, userInfo: (Number(profileEnd) > now && profile) || null }
}
