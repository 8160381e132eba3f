import { type StoredSession, StoreFailure } from '../sessions/store.js'

const ZERO = '0'.charCodeAt(0)
/** Where the fields of a session begin in its line. */
const [BEGAN, LAST_VISIT, END, RECORD] = [24, 40, 53, 66]
const MARK_DIGITS = 16
const END_DIGITS = 13

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
  const beganAt = numberIn(line, BEGAN, LAST_VISIT)
  const lastVisitAt = numberIn(line, LAST_VISIT, END)
  const endsAt = numberIn(line, END, RECORD)
  if (Number.isNaN(beganAt + lastVisitAt + endsAt)) return undefined
  return {
    beganAt,
    session: {
      sessionId: line.slice(0, BEGAN),
      record: line.slice(RECORD),
      createdAt: Math.floor(beganAt / 1000),
      lastVisitAt,
      endsAt,
      readAt: Math.floor(moment / 1000),
    },
  }
}

/** Reads the profile of a user, '' where there is none, and its end; undefined when the user is damaged. */
export function profileIn(user: string): { readonly endsAt: number; readonly text: string } | undefined {
  const isMarked = user[1] !== '-'
  const begin = isMarked ? 1 + MARK_DIGITS : 2
  const mark = isMarked ? numberIn(user, 1, begin) : 0
  const endsAt = numberIn(user, begin, begin + END_DIGITS)
  if (user[0] !== '1' || Number.isNaN(mark + endsAt)) return undefined
  const end = user.indexOf('\n')
  return { endsAt, text: user.slice(begin + END_DIGITS, end < 0 ? undefined : end) }
}

/** Returns the number whose digits stand between two places; NaN where there is something else. */
function numberIn(text: string, begin: number, end: number): number {
  let number = 0
  for (let place = begin; place < end; place += 1) {
    const digit = text.charCodeAt(place) - ZERO
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    number = 10 * number + digit
  }
  return number
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
