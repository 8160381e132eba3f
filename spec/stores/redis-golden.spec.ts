import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { RedisStore, type SessionAddress } from '../../lib/index.js'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../lib/sessions/record.js'
import { StoreFailure } from '../../lib/sessions/store.js'
import { endAllSessions, storeUnderTest } from '../../store-contract/store-under-test.js'
import { type TestClock, testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'
import layout from '../vectors/redis-layout.json' with { type: 'json' }

interface Vectors {
  /** When the first of each was written, in milliseconds. */
  readonly time: number
  readonly handle: string
  readonly sessionIds: readonly [string, string]
  readonly id: string
  readonly text: string
  readonly profile: string
  readonly records: readonly [GoldenRecord, GoldenRecord]
  /** Each without the prefix of its key, and as the lines of its value. */
  readonly keys: Readonly<Record<GoldenKey, { readonly key: string; readonly lines: readonly string[] }>>
}

interface GoldenRecord {
  readonly record: Partial<SessionRecord>
  readonly text: string
}

type GoldenKey = 'user' | 'userMark' | 'value' | 'mark' | 'groupMarks'

const vectors = layout as unknown as Vectors

const MINUTE = 60_000
const MARK = '1767225600000001'
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const LOGIN_DURATION_MS = 30 * DAY
const SESSION_DURATION_MS = 2 * HOUR
const PROFILE_DURATION_MS = 365 * DAY
/** The second login is this much later than the first, and a touch of the first as much later again. */
const STEP_MS = 1_000

describe('what RedisStore writes', () => {
  const redis = aRedisClient()
  const { handle, sessionIds, id, records } = vectors
  const [first, second] = sessionIds.map((sessionId) => ({ handle, sessionId })) as [
    SessionAddress,
    SessionAddress,
  ]
  let prefix: string
  let clock: TestClock
  let store: RedisStore
  const { entry } = storeUnderTest(
    () => clock.now,
    () => store,
  )

  beforeEach(() => {
    prefix = freshPrefix()
    clock = testClock(vectors.time)
    store = new RedisStore(redis(), { prefix, clock })
  })

  function keyOf(name: GoldenKey): string {
    return prefix + vectors.keys[name].key
  }

  function bytesOf(name: GoldenKey): string {
    return vectors.keys[name].lines.join('\n')
  }

  /** Puts a value there by hand, as any other program could. */
  async function put(name: GoldenKey, value = bytesOf(name)): Promise<void> {
    await redis().set(keyOf(name), value)
  }

  async function expectValue(name: GoldenKey, value = bytesOf(name)): Promise<void> {
    expect(
      (await redis().getBuffer(keyOf(name)))?.equals(Buffer.from(value)),
      `${name} as ${value}`,
    ).to.equal(true)
  }

  function window() {
    return { sessionDurationMs: SESSION_DURATION_MS, endsBy: vectors.time + LOGIN_DURATION_MS }
  }

  const login = {
    loginDurationMs: LOGIN_DURATION_MS,
    sessionDurationMs: SESSION_DURATION_MS,
    userInfoDurationMs: PROFILE_DURATION_MS,
  }

  const writing: Record<GoldenKey, () => Promise<unknown>> = {
    async user() {
      const beganAt = vectors.time * 1000 - 1_234_567
      await store.issue(entry({ ...login, address: first, record: records[0].text, beganAt }))
      clock.advance(STEP_MS)
      const { profile: userInfo } = vectors
      await store.issue(entry({ ...login, address: second, record: records[1].text, userInfo }))
      clock.advance(STEP_MS)
      await store.touch(first, window())
    },
    userMark: () => store.revokeUser(handle),
    value: () => store.replaceValue({ id, from: null, to: vectors.text, keepMs: HOUR }),
    mark: () => store.revokeBatch({ group: null }),
    async groupMarks() {
      await store.revokeBatch({ group: null })
      for (const group of ['-U_P', 'hand']) {
        clock.advance(STEP_MS)
        await store.revokeBatch({ group })
      }
    },
  }

  for (const [name, write] of Object.entries(writing) as [GoldenKey, () => Promise<unknown>][]) {
    it(`is byte for byte what it has always been: ${name}`, async () => {
      await write()
      await expectValue(name)
    })
  }

  it('keeps all other bytes of a user when a profile, a record or a session changes', async () => {
    await writing.user()
    await store.writeUserInfo(handle, 'other', HOUR)
    await store.writeUserInfo(handle, vectors.profile, PROFILE_DURATION_MS - STEP_MS)
    const [, { text: from }] = records
    await store.rewrite(handle, [{ sessionId: second.sessionId, from, to: 'other' }])
    await store.rewrite(handle, [{ sessionId: second.sessionId, from: 'other', to: from }])
    const third = entry({ ...login, address: { handle, sessionId: 'A'.repeat(24) } })
    await store.issue({ ...third, userInfoDurationMs: PROFILE_DURATION_MS - STEP_MS })
    await store.revoke(third.address)
    await expectValue('user')
  })

  describe('is read when it was put there by hand', () => {
    it('a user with two sessions and a profile', async () => {
      await put('user')
      clock.set(vectors.time + HOUR)
      const sessions = [
        {
          sessionId: first.sessionId,
          record: records[0].text,
          createdAt: vectors.time - 1_235,
          lastVisitAt: vectors.time + 2 * STEP_MS,
          endsAt: vectors.time + 2 * STEP_MS + SESSION_DURATION_MS,
          readAt: clock.now,
        },
        {
          sessionId: second.sessionId,
          record: records[1].text,
          createdAt: vectors.time + STEP_MS,
          lastVisitAt: vectors.time + STEP_MS,
          endsAt: vectors.time + STEP_MS + SESSION_DURATION_MS,
          readAt: clock.now,
        },
      ]
      const { profile: userInfo } = vectors
      expect(await store.readUser(handle)).to.deep.equal({ sessions, userInfo, wasHere: true })
      expect(await store.read(first)).to.deep.equal({ ...sessions[0], userInfo })
      expect(await store.read(second)).to.deep.equal({ ...sessions[1], userInfo })
      await expectValue('user')
    })

    it('a user whose mark is all zeros, as if it were none', async () => {
      const [head = '', ...lines] = vectors.keys.user.lines
      await put('user', [`1${'0'.repeat(16)}${head.slice(2)}`, ...lines].join('\n'))
      expect(await store.read(first)).to.include({ record: records[0].text })
      await store.touch(first, window())
      expect((await redis().get(keyOf('user')))?.startsWith('1-')).to.equal(true)
    })

    it('a user who was ended', async () => {
      await put('userMark')
      expect(await store.readUser(handle)).to.deep.equal({ sessions: [], userInfo: null, wasHere: false })
      const moment = vectors.time * 1000
      const late = entry({ ...login, address: first, beganAt: moment })
      expect(await store.issue(late)).to.deep.equal({ state: 'revoked' })
      await expectValue('userMark')
      expect(await store.issue({ ...late, beganAt: moment + 2 })).to.include({ state: 'issued' })
    })

    it('a shared value', async () => {
      await put('value')
      const value = { text: vectors.text, writtenAt: vectors.time * 1000 + 1, leftMs: HOUR }
      expect(await store.readValue(id)).to.deep.equal(value)
      const other = { id, from: 'other', to: null }
      expect(await store.replaceValue(other)).to.deep.equal({ isReplaced: false, value })
      await expectValue('value')
      const known = { id, from: vectors.text, to: null }
      expect(await store.replaceValue(known)).to.deep.equal({ isReplaced: true, value: null })
      expect(await redis().exists(keyOf('value'))).to.equal(0)
    })

    it('the mark of all', async () => {
      await put('user')
      await put('mark')
      expect(await store.read(first)).to.equal(null)
      const { sessions } = await store.readUser(handle)
      expect(sessions.map(({ sessionId }) => sessionId)).to.deep.equal([second.sessionId])
      const late = entry({ address: first, beganAt: vectors.time * 1000 })
      expect(await store.issue(late)).to.deep.equal({ state: 'revoked' })
      await expectValue('user')
      await expectValue('mark')
    })

    it('the marks of groups, with the first characters of handles', async () => {
      await put('user')
      await put('groupMarks')
      expect(await store.readUser(handle)).to.deep.include({ sessions: [], wasHere: true })
      for (const [group, mark] of [
        ['hand', vectors.time * 1000 + 2_000_003],
        ['-U_P', vectors.time * 1000 + 1_000_002],
        ['-U_Q', vectors.time * 1000 + 1],
        ['-U_', vectors.time * 1000 + 1],
      ] as const) {
        const address = { handle: `${group}-handle`, sessionId: 'A'.repeat(24) }
        const late = entry({ ...login, address, beganAt: mark })
        expect(await store.issue(late), group).to.deep.equal({ state: 'revoked' })
        expect(await store.issue({ ...late, beganAt: mark + 1 }), group).to.include({ state: 'issued' })
      }
      await expectValue('user')
      await expectValue('groupMarks')
      await store.ping()
      await expectValue('groupMarks')
    })

    it('whatever has ended, as if it were not there', async () => {
      for (const name of ['user', 'value'] as const) await put(name)
      clock.set(vectors.time + PROFILE_DURATION_MS + STEP_MS)
      expect(await store.readUser(handle)).to.deep.equal({ sessions: [], userInfo: null, wasHere: false })
      expect(await store.read(first)).to.equal(null)
      expect(await store.readValue(id)).to.equal(null)
      const change = { id, from: null, to: 'new', keepMs: HOUR }
      expect(await store.replaceValue(change)).to.include({ isReplaced: true })
    })
  })

  for (const { record, text } of records) {
    it(`has a record ${record.data === undefined ? 'without' : 'with'} data that is what it has always been`, () => {
      const whole = {
        unionid: undefined,
        sealedPreviousKey: undefined,
        device: undefined,
        confirmedAt: undefined,
        sessionDurationMs: undefined,
        data: undefined,
        ...record,
      } as SessionRecord
      expect(encodeRecord(whole)).to.equal(text)
      expect(decodeRecord(text, whole.appid)).to.deep.equal(whole)
    })
  }

  describe('is left alone, and named in a failure, when it cannot be read:', () => {
    const ofUser: Record<string, () => Promise<unknown>> = {
      read: () => store.read(second),
      readUser: () => store.readUser(handle),
      issue: () => store.issue(entry({ ...login, address: { handle, sessionId: 'A'.repeat(24) } })),
      'issue of a login that may be refused': () =>
        store.issue(entry({ ...login, address: first, maxSessions: 1, onLimit: 'refuse' })),
      touch: () => store.touch(second, window()),
      revoke: () => store.revoke(second),
      revokeUser: () => store.revokeUser(handle),
      writeUserInfo: () => store.writeUserInfo(handle, '{}', HOUR),
      'writeUserInfo with null': () => store.writeUserInfo(handle, null, 0),
      rewrite: () =>
        store.rewrite(handle, [{ sessionId: second.sessionId, from: records[1].text, to: 'new' }]),
    }
    const ofValue: Record<string, () => Promise<unknown>> = {
      readValue: () => store.readValue(id),
      replaceValue: () => store.replaceValue({ id, from: null, to: 'new', keepMs: HOUR }),
      'replaceValue of another value': () => store.replaceValue({ id, from: vectors.text, to: null }),
    }
    const ofAll: Record<string, () => Promise<unknown>> = {
      ...ofUser,
      revokeBatch: () => store.revokeBatch({ group: null }),
      'revokeBatch of a group': () => store.revokeBatch({ group: 'hand' }),
      ping: () => store.ping(),
    }

    const [head = '', line = '', lastLine = ''] = vectors.keys.user.lines
    const damagedUsers: Record<string, readonly string[]> = {
      'a newer release': [`2${head.slice(1)}`, line, lastLine],
      'no text at all': [],
      garbage: ['garbage'],
      'the value of another program': ['{"cookie":{}}'],
      'a first line that breaks off': [head.slice(0, 10)],
      'a first line that breaks off behind its mark': [bytesOf('userMark').slice(0, 20)],
      'a mark with a letter': [`1${MARK.replace('7', 'x')}${head.slice(2)}`, line, lastLine],
      'a mark that is too short': [`1${MARK.slice(1)}${head.slice(2)}`, line, lastLine],
      'another sign in place of a mark': [`1+${head.slice(2)}`, line, lastLine],
      'a sign too many in place of a mark': [`1-${head.slice(1)}`, line, lastLine],
      'no mark': [`1${head.slice(2)}`, line, lastLine],
      'an end of the profile with a letter': [`${head.slice(0, 8)}x${head.slice(9)}`, line, lastLine],
      'an end of the profile with a letter behind a mark': [
        `1${MARK}${head.slice(2, 8)}x${head.slice(9)}`,
        line,
        lastLine,
      ],
    }
    const damagedLines: Record<string, string> = {
      'breaks off': lastLine.slice(0, 50),
      'is only its id': lastLine.slice(0, 24),
      'has a letter in its beginning': `${lastLine.slice(0, 30)}x${lastLine.slice(31)}`,
      'has a letter in its visit': `${lastLine.slice(0, 45)}x${lastLine.slice(46)}`,
      'has a letter in its end': `${lastLine.slice(0, 60)}x${lastLine.slice(61)}`,
    }
    const damagedValues = [
      '',
      'garbage',
      '123',
      vectors.text,
      `1767229200000${vectors.text}`,
      `x${'1'.repeat(28)}`,
      `${'1'.repeat(12)}x${'1'.repeat(16)}`,
      `${'1'.repeat(28)}x`,
    ]
    const damagedMarks = [
      '',
      'garbage',
      '123',
      '1'.repeat(15),
      '1'.repeat(17),
      `x${'1'.repeat(15)}`,
      '-'.repeat(16),
      `${bytesOf('groupMarks')}\n`,
      `${bytesOf('groupMarks')}\n${'1'.repeat(20)}\n\n`,
      `${bytesOf('groupMarks')}\r\n`,
      `${bytesOf('groupMarks')}1`,
      bytesOf('groupMarks').slice(0, -1),
      bytesOf('groupMarks').slice(1),
      bytesOf('groupMarks').slice(16),
      bytesOf('groupMarks').slice(17),
      bytesOf('groupMarks').replace('-U_P', '-U.P'),
      bytesOf('groupMarks').replace('-U_P', '-UP'),
      bytesOf('groupMarks').replace('\nhand', '\0hand'),
      bytesOf('groupMarks').replace('hand1', 'handx'),
      `17672256\nhand${'1'.repeat(16)}00000001`,
    ]

    async function expectLeftAlone(
      name: GoldenKey,
      value: string,
      calls: Record<string, () => Promise<unknown>>,
    ): Promise<void> {
      await put(name, value)
      for (const [method, call] of Object.entries(calls)) {
        const failure = await failureOf(call)
        expect(failure, method)
          .to.be.instanceOf(StoreFailure)
          .with.property('message')
          .that.includes(`the key ${keyOf(name)} cannot be read`)
        await expectValue(name, value)
      }
    }

    for (const [what, lines] of Object.entries(damagedUsers)) {
      it(`a user with ${what}`, async () => {
        await expectLeftAlone('user', lines.join('\n'), ofUser)
      })

      it(`a user with ${what}, who does not stand in the way of the end of everybody`, async () => {
        await put('user', lines.join('\n'))
        const { address } = entry()
        await store.issue(entry({ address }))
        expect(await endAllSessions(store)).to.equal(1)
        expect(await store.read(address)).to.equal(null)
        await expectValue('user', lines.join('\n'))
      })
    }

    for (const [what, damaged] of Object.entries(damagedLines)) {
      it(`a session whose line ${what}, while the user goes on`, async () => {
        await put('user', [head, line, damaged].join('\n'))
        const linesNow = async () => (await redis().get(keyOf('user')))?.split('\n') ?? []
        const failure = await failureOf(() => store.read(second))
        expect(failure).to.be.instanceOf(StoreFailure)
        expect(String(failure)).to.include(`the key ${keyOf('user')} cannot be read`)
        expect(await store.revoke(second)).to.equal(false)
        expect(await store.touch(second, window())).to.equal(null)

        const another = { handle, sessionId: 'A'.repeat(24) }
        await store.issue(entry({ ...login, address: another }))
        await store.touch(first, window())
        await store.rewrite(handle, [{ sessionId: first.sessionId, from: records[0].text, to: 'new' }])
        await store.writeUserInfo(handle, '{}', HOUR)
        expect((await store.readUser(handle)).sessions.map(({ sessionId }) => sessionId)).to.deep.equal([
          first.sessionId,
          another.sessionId,
        ])
        expect(await store.read(first)).to.include({ record: 'new', userInfo: '{}' })
        expect(await store.revoke(first)).to.equal(true)
        expect(await linesNow()).to.include(damaged)
        expect(await endAllSessions(store)).to.equal(1)
        expect(await linesNow()).to.include(damaged)
        await store.revokeUser(handle)
        expect(await linesNow()).to.have.length(1)
      })
    }

    for (const value of damagedValues) {
      it(`the shared value ${JSON.stringify(value)}`, async () => {
        await expectLeftAlone('value', value, ofValue)
      })
    }

    for (const value of damagedMarks) {
      it(`the mark of all ${JSON.stringify(value)}`, async () => {
        await put('user')
        await expectLeftAlone('mark', value, ofAll)
        await expectValue('user')
      })
    }
  })
})
