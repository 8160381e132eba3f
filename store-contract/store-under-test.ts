import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { IssueResult, RevocationStep, SessionAddress, SessionEntry, SessionStore } from 'weapp-session'

/** An issued login: its entry, and what the store returned. */
export type Login = Omit<SessionEntry, 'userInfo'> & Extract<IssueResult, { state: 'issued' }>

/** The store under test, with what several rules do with it. */
export interface StoreUnderTest {
  /** The store of the running test, empty at first. */
  readonly store: SessionStore
  /** About the time of the store. */
  now(): number
  /** A login of a new user for an hour, with the given differences. */
  entry(differences?: Partial<SessionEntry>): SessionEntry
  /** Issues {@link entry}, which must succeed. */
  issue(differences?: Partial<SessionEntry>): Promise<Login>
  /** The ids of a user's sessions in the order of the store. */
  listedIds(handle: string): Promise<string[]>
  /** The time of the store in microseconds, as for a login that begins now. */
  moment(): Promise<number>
  /** Resolves at this time of the store, in milliseconds. */
  reached(time: number): Promise<void>
  /** Resolves after this many milliseconds by the clock of the store. */
  passed(durationMs: number): Promise<void>
  /** Tries work with longer and longer durations until it returns true: in time. Returns that duration. */
  inTime(work: (durationMs: number) => Promise<boolean>): Promise<number>
}

export const HOUR = 3_600_000

const MOST_BATCHES = 10_000
const SHORTEST_MS = 50
const LONGEST_MS = 3_200

/** A new user, of a group of its own unless one is named. */
export function newHandle(group: string = newGroup()): string {
  return group + randomBytes(12).toString('base64url')
}

/** A new group, with which the handles of its users begin. */
export function newGroup(): string {
  return randomBytes(3).toString('base64url')
}

export function newAddress(handle: string = newHandle()): SessionAddress {
  return { handle, sessionId: randomBytes(18).toString('base64url') }
}

export function newId(): string {
  return randomBytes(18).toString('base64url')
}

/**
 * Calls revokeBatch for everybody, or for a group, from a cursor until the last step. Returns the number of
 * ended sessions.
 */
export async function endAllSessions(
  store: SessionStore,
  { group = null, cursor: from }: Partial<RevocationStep> = {},
): Promise<number> {
  let revoked = 0
  let cursor = from
  for (let calls = 0; calls < MOST_BATCHES; calls += 1) {
    const batch = await store.revokeBatch({ group, cursor })
    revoked += batch.revoked
    cursor = batch.next
    if (cursor === undefined) return revoked
  }
  throw new Error(`revokeBatch has not come to an end after ${MOST_BATCHES} calls`)
}

/** Texts of one line that a careless store gives back changed. */
export const AWKWARD_LINES: Readonly<Record<string, string>> = {
  unicode: '微信 用户 👩‍👩‍👧 \u202e\u0301 ñ',
  quotes: `it's "quoted" \\" \\\\ \`back\` \${x} %s`,
  'carriage returns': '\rfirst\r\r\u2028second\u0085third\r',
  NUL: '\0before\0\0after\0',
  'empty JSON arrays': '{"a":[],"b":{},"c":[[]]}',
  digits: '1234567890123456789',
  'spaces at the ends': ' \t text \t ',
  'a question mark in front': '?text',
  '20 kB': '0123456789abcdéf'.repeat(1_250),
}

/** Texts that a careless store gives back changed. */
export const AWKWARD_TEXTS: Readonly<Record<string, string>> = {
  ...AWKWARD_LINES,
  newlines: '\r\nfirst\n\nsecond\r\u2028third\n',
}

/** `current` returns the store of the running test, `now` about its time. */
export function storeUnderTest(now: () => number, current: () => SessionStore): StoreUnderTest {
  function entry(differences: Partial<SessionEntry> = {}): SessionEntry {
    return {
      address: newAddress(),
      record: '{"v":1}',
      beganAt: undefined,
      loginDurationMs: HOUR,
      sessionDurationMs: HOUR,
      maxSessions: 10,
      onLimit: 'end-oldest',
      replaces: undefined,
      userInfo: undefined,
      userInfoDurationMs: 2 * HOUR,
      ...differences,
    }
  }

  async function moment(): Promise<number> {
    const { value } = await current().replaceValue({ id: newId(), from: null, to: 'now', keepMs: 1 })
    return value?.writtenAt ?? assert.fail('a value is not written under a fresh id')
  }

  async function reached(time: number): Promise<void> {
    while ((await moment()) / 1000 < time) await delay(2)
  }

  return {
    get store() {
      return current()
    },
    now,
    entry,
    async issue(differences) {
      const given = entry(differences)
      const result = await current().issue(given)
      return result.state === 'issued'
        ? { ...given, ...result }
        : assert.fail(`the login is ${result.state}, not issued`)
    },
    async listedIds(handle) {
      const { sessions } = await current().readUser(handle)
      return sessions.map(({ sessionId }) => sessionId)
    },
    moment,
    reached,
    async passed(durationMs) {
      await reached((await moment()) / 1000 + durationMs + 1)
    },
    async inTime(work) {
      for (let durationMs = SHORTEST_MS; durationMs <= LONGEST_MS; durationMs *= 2) {
        if (await work(durationMs)) return durationMs
      }
      throw new Error('what has to be done before an end comes too late each time')
    },
  }
}
