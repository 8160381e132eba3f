import { type StoredSession, StoreFailure } from '../sessions/store.js'

const LINE = /^(.{24})(\d{16})(\d{13})(\d{13})(.*)$/s

export interface SessionLine {
  /** When its login began, in microseconds since 1970. */
  readonly beganAt: number
  readonly session: StoredSession
}

/** Reads a line that came in a reply of this moment, in microseconds since 1970. */
export function readLine(line: string, moment: number): SessionLine {
  const [, sessionId, began, lastVisitAt, endsAt, record] = LINE.exec(line) ?? []
  if (sessionId === undefined || record === undefined) throw unexpectedReply()
  const beganAt = Number(began)
  return {
    beganAt,
    session: {
      sessionId,
      record,
      createdAt: Math.floor(beganAt / 1000),
      lastVisitAt: Number(lastVisitAt),
      endsAt: Number(endsAt),
      readAt: Math.floor(moment / 1000),
    },
  }
}

/** A text that goes into a line: a line break in it would be the end of its line. */
export function oneLine(text: string): string {
  if (text.includes('\n')) throw new TypeError('RedisStore: a record or profile must not have a line break')
  return text
}

/** Redis, or the client in between, did not do what it was asked. What it said goes nowhere. */
export function unexpectedReply(): StoreFailure {
  return new StoreFailure('Redis replied with something else than was asked for')
}
