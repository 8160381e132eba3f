import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { SessionAddress, SessionEntry, SessionStore } from 'weapp-session'

/** The four functions that mocha, Jest, Vitest and node:test all have. */
export interface TestRunner {
  describe(title: string, body: () => void): unknown
  it(title: string, test: () => Promise<void>): unknown
  beforeEach(hook: () => Promise<void>): unknown
  afterEach(hook: () => Promise<void>): unknown
}

/** What the parts of the contract are told. */
export interface StoreUnderTest extends TestRunner {
  /** The store of the test that runs: empty at its start. */
  readonly store: SessionStore
  /** Tells the time as the store sees it. */
  now(): number
  /** A login of a new user in this moment, good for an hour, but for the differences. */
  entry(differences?: Partial<SessionEntry>): SessionEntry
  /** Issues {@link entry}. */
  issue(differences?: Partial<SessionEntry>): Promise<SessionEntry>
  /** The ids that the store lists for a user. */
  listedIds(handle: string): Promise<string[]>
  /** Resolves when the store's clock has reached the moment. */
  reached(moment: number): Promise<void>
  /**
   * Does what has to be done before an end that is near, and answers that end. Work that answers false was too late: a slow
   * machine gets a longer while.
   */
  inTime(work: (end: number) => Promise<boolean>): Promise<number>
}

export const HOUR = 3_600_000
/** Well past, so that no difference between two clocks matters. */
export const LONG_AGO = Date.UTC(2020, 0, 1)

const MOST_BATCHES = 10_000
const FIRST_WINDOW = 50
const LONGEST_WINDOW = 3_200

export function newHandle(): string {
  return randomBytes(15).toString('base64url')
}

export function newAddress(handle: string = newHandle()): SessionAddress {
  return { handle, sessionId: randomBytes(18).toString('base64url') }
}

/** Who claims something: each of them another. */
export function newClaimant(): string {
  return randomBytes(12).toString('base64url')
}

/** The id of something to claim, or of a shared value. */
export function newId(): string {
  return randomBytes(18).toString('base64url')
}

/** Calls removeBatch until it says that all is done. Answers how many sessions have ended. */
export async function endAllSessions(store: SessionStore): Promise<number> {
  let removed = 0
  let cursor: string | undefined
  for (let calls = 0; calls < MOST_BATCHES; calls += 1) {
    const batch = await store.removeBatch(cursor)
    removed += batch.removed
    cursor = batch.next
    if (cursor === undefined) return removed
  }
  throw new Error(`removeBatch has not come to an end after ${MOST_BATCHES} calls`)
}

/** Texts that a careless store gives back changed. */
export const AWKWARD_TEXTS: Readonly<Record<string, string>> = {
  unicode: '微信 用户 👩‍👩‍👧 \u202e\u0301 ñ',
  quotes: `it's "quoted" \\" \\\\ \`back\` \${x} %s`,
  newlines: '\r\nfirst\n\nsecond\r\u2028third\n',
  NUL: '\0before\0\0after\0',
  'empty JSON arrays': '{"a":[],"b":{},"c":[[]]}',
  digits: '1234567890123456789',
  'spaces at the ends': ' \t text \t ',
  'a question mark in front': '?text',
  '20 kB': '0123456789abcdéf'.repeat(1_250),
}

/** Makes the fixtures of the contract for stores whose time `now` tells. */
export function storeUnderTest(
  runner: TestRunner,
  now: () => number,
  current: () => SessionStore,
): StoreUnderTest {
  function entry(differences: Partial<SessionEntry> = {}): SessionEntry {
    const createdAt = differences.createdAt ?? now()
    return {
      address: newAddress(),
      record: '{"v":1}',
      createdAt,
      dropAt: createdAt + HOUR,
      expiresAt: createdAt + HOUR,
      maxSessions: 10,
      onLimit: 'end-oldest',
      replaces: undefined,
      userInfo: undefined,
      userInfoDropAt: createdAt + 2 * HOUR,
      ...differences,
    }
  }

  return {
    describe: (title, body) => runner.describe(title, body),
    it: (title, test) => runner.it(title, test),
    beforeEach: (hook) => runner.beforeEach(hook),
    afterEach: (hook) => runner.afterEach(hook),
    get store() {
      return current()
    },
    now,
    entry,
    async issue(differences) {
      const issued = entry(differences)
      await current().issue(issued)
      return issued
    },
    async listedIds(handle) {
      return (await current().list(handle)).map(({ sessionId }) => sessionId)
    },
    async reached(moment) {
      while (now() < moment) await delay(2)
    },
    async inTime(work) {
      for (let window = FIRST_WINDOW; window <= LONGEST_WINDOW; window *= 2) {
        const end = now() + window
        if (await work(end)) return end
      }
      throw new Error('what has to be done before an end comes too late each time')
    },
  }
}
