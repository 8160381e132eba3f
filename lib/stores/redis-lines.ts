import { type StoredSession, StoreFailure } from '../sessions/store.js'

const LINE = /^(.{24})(\d{16})(\d{13})(\d{13})(.*)$/s
const PROFILE = /^1\d{16}(\d{13})([^\n]*)/

/** The session of a line; `beganAt` is in microseconds since 1970. */
interface ReadLine {
  readonly beganAt: number
  readonly session: StoredSession
}

/** Reads the line of a session from a reply, at a time in microseconds since 1970. */
export function readLine(line: string, moment: number): ReadLine {
  const read = lineIn(line, moment)
  if (read) return read
  throw unexpectedReply()
}

/** Reads the line of a session; undefined when it is damaged. */
export function lineIn(line: string, moment: number): ReadLine | undefined {
  const [, sessionId, began, lastVisitAt, endsAt, record] = LINE.exec(line) ?? []
  if (sessionId === undefined || record === undefined) return undefined
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

/** Reads the profile of a user, '' where there is none, and its end; undefined when the user is damaged. */
export function profileIn(user: string): { readonly endsAt: number; readonly text: string } | undefined {
  const [, endsAt, text] = PROFILE.exec(user) ?? []
  return text === undefined ? undefined : { endsAt: Number(endsAt), text }
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
