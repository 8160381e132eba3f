import { type StoredSession, StoreFailure } from '../sessions/store.js'

const LINE = /^(.{24})(\d{16})(\d{13})(\d{13})(.*)$/s

/** Reads the line of a session from a reply. `moment` and `beganAt` are in microseconds since 1970. */
export function readLine(line: string, moment: number): { beganAt: number; session: StoredSession } {
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

/** Refuses a line break, which would end the line of a session. */
export function oneLine(text: string): string {
  if (text.includes('\n')) throw new TypeError('RedisStore: a record or profile must not have a line break')
  return text
}

/** The reply itself may hold secrets. */
export function unexpectedReply(): StoreFailure {
  return new StoreFailure('Redis replied with something else than was asked for')
}
