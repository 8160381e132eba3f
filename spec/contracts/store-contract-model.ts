import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { IssueResult, RecordChange, SessionEntry, SessionStore } from 'weapp-session'
import { HOUR, LONG_AGO, newHandle, type StoreUnderTest } from './store-under-test.js'

const USERS = 2
const SESSIONS = 6

interface KnownSession {
  readonly sessionId: string
  record: string
  lastVisitAt: number
}

interface KnownUser {
  readonly handle: string
  /** Oldest login first. */
  sessions: KnownSession[]
  userInfo: string | null
  wasHere: boolean
  /** The shared value whose id is the handle. */
  value: string | null
}

/** What a store must look like from outside: one plain list a user. */
interface Model {
  readonly users: readonly KnownUser[]
  readonly start: number
  /** Goes up by one with each login, so that no two are of the same millisecond. */
  logins: number
}

type Operation = fc.AsyncCommand<Model, SessionStore>

/** No two users share an id: it is a digest of the whole token. */
function idOf({ handle }: KnownUser, number: number): string {
  return `${number}${handle}`.padEnd(24, '_')
}

/** Random sequences of calls, compared with a model after each of them. */
export function modelContract(subject: StoreUnderTest): void {
  const { describe, it, entry } = subject
  const user = fc.nat({ max: USERS - 1 })
  const session = fc.nat({ max: SESSIONS - 1 })

  function operation(
    text: string,
    userIndex: number,
    run: (known: KnownUser, store: SessionStore, model: Model) => Promise<void>,
  ): Operation {
    return {
      check: () => true,
      toString: () => `user ${userIndex}: ${text}`,
      async run(model, store) {
        const known = model.users[userIndex] ?? assert.fail('the model has too few users')
        await run(known, store, model)
        for (const each of model.users) await agree(each, store)
      },
    }
  }

  const issuing = fc
    .record({
      userIndex: user,
      session,
      maxSessions: fc.integer({ min: 1, max: 4 }),
      onLimit: fc.constantFrom('end-oldest' as const, 'refuse' as const),
      replaces: fc.option(session, { nil: undefined }),
      userInfo: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
      isPast: fc.boolean(),
      record: fc.string({ unit: 'binary' }),
    })
    .map(({ userIndex, ...login }) =>
      operation(`issue ${JSON.stringify(login)}`, userIndex, async (known, store, model) => {
        const sessionId = idOf(known, login.session)
        // A session id is random in truth: one that is taken does not come a second time.
        if (known.sessions.some((each) => each.sessionId === sessionId)) return
        model.logins += 1
        const given = entry({
          address: { handle: known.handle, sessionId },
          record: login.record,
          createdAt: model.start + model.logins,
          dropAt: login.isPast ? LONG_AGO : model.start + HOUR,
          maxSessions: login.maxSessions,
          onLimit: login.onLimit,
          replaces: login.replaces === undefined ? undefined : idOf(known, login.replaces),
          userInfo: login.userInfo,
        })
        assert.deepEqual(await store.issue(given), issueInModel(known, given))
      }),
    )

  const touching = fc
    .record({ userIndex: user, number: session, visit: fc.integer({ min: -50, max: 50 }) })
    .map(({ userIndex, number, visit }) =>
      operation(`touch ${number} ${visit}`, userIndex, async (known, store, model) => {
        const sessionId = idOf(known, number)
        const found = known.sessions.find((each) => each.sessionId === sessionId)
        const visitAt = model.start + visit
        // The visit of the record may not be named again: what a touch does then is left open.
        if (found?.lastVisitAt === visitAt) return
        const there = await store.touch({ handle: known.handle, sessionId }, visitAt, model.start + HOUR)
        assert.equal(there, found !== undefined)
        if (found) found.lastVisitAt = Math.max(found.lastVisitAt, visitAt)
      }),
    )

  const removing = fc.record({ userIndex: user, number: session }).map(({ userIndex, number }) =>
    operation(`remove ${number}`, userIndex, async (known, store) => {
      const sessionId = idOf(known, number)
      const remaining = known.sessions.filter((each) => each.sessionId !== sessionId)
      const removed = await store.remove({ handle: known.handle, sessionId })
      assert.equal(removed, remaining.length < known.sessions.length)
      known.sessions = remaining
    }),
  )

  const removingUser = fc
    .record({ userIndex: user, spared: fc.option(session, { nil: undefined }) })
    .map(({ userIndex, spared }) =>
      operation(`removeUser except ${spared}`, userIndex, async (known, store) => {
        const except = spared === undefined ? undefined : idOf(known, spared)
        const remaining = known.sessions.filter(({ sessionId }) => sessionId === except)
        const removed = await store.removeUser(known.handle, except)
        assert.equal(removed, known.sessions.length - remaining.length)
        known.sessions = remaining
      }),
    )

  const writingProfile = fc
    .record({ userIndex: user, userInfo: fc.option(fc.string({ minLength: 1 })) })
    .map(({ userIndex, userInfo }) =>
      operation(`writeUserInfo ${userInfo}`, userIndex, async (known, store, model) => {
        await store.writeUserInfo(known.handle, userInfo, model.start + HOUR)
        known.userInfo = userInfo
        known.wasHere = true
      }),
    )

  const rewriting = fc
    .record({
      userIndex: user,
      wishes: fc.uniqueArray(
        fc.record({ session, isStale: fc.boolean(), to: fc.string({ unit: 'binary' }) }),
        { selector: (wish) => wish.session },
      ),
    })
    .map(({ userIndex, wishes }) =>
      operation(`rewrite ${JSON.stringify(wishes)}`, userIndex, async (known, store) => {
        const changes = wishes.map((wish): RecordChange => {
          const sessionId = idOf(known, wish.session)
          const record = known.sessions.find((each) => each.sessionId === sessionId)?.record ?? ''
          return { sessionId, from: wish.isStale ? `${record} of old` : record, to: wish.to }
        })
        assert.equal(await store.rewrite(known.handle, changes), rewriteInModel(known, changes))
      }),
    )

  const text = fc.option(fc.string({ minLength: 1 }))
  const replacingValue = fc
    .record({ userIndex: user, guess: text, isKnown: fc.boolean(), to: text, isPast: fc.boolean() })
    .map(({ userIndex, ...given }) =>
      operation(`replaceValue ${JSON.stringify(given)}`, userIndex, async (known, store, model) => {
        const from = given.isKnown ? known.value : given.guess
        const dropAt = given.isPast ? LONG_AGO : model.start + HOUR
        const replaced = await store.replaceValue(known.handle, from, given.to, dropAt)
        assert.equal(replaced, from === known.value)
        if (replaced) known.value = given.isPast ? null : given.to
      }),
    )

  async function agree(known: KnownUser, store: SessionStore): Promise<void> {
    assert.deepEqual(await store.list(known.handle), known.sessions)
    assert.equal(await store.hasSeen(known.handle), known.wasHere)
    assert.equal(await store.readValue(known.handle), known.value)
    for (let number = 0; number < SESSIONS; number += 1) {
      const sessionId = idOf(known, number)
      const found = known.sessions.find((each) => each.sessionId === sessionId)
      const expected = found ? { ...found, userInfo: known.userInfo } : null
      assert.deepEqual(await store.read({ handle: known.handle, sessionId }), expected)
    }
  }

  describe('any sequence of calls', () => {
    it('leaves the sessions that a simple model predicts', async () => {
      const operations = fc.commands(
        [issuing, issuing, touching, rewriting, removing, removingUser, writingProfile, replacingValue],
        { maxCommands: 30 },
      )
      await fc.assert(
        fc.asyncProperty(operations, async (commands) => {
          const users = Array.from({ length: USERS }, () => ({
            handle: newHandle(),
            sessions: [],
            userInfo: null,
            wasHere: false,
            value: null,
          }))
          const model: Model = { users, start: subject.now(), logins: 0 }
          await fc.asyncModelRun(() => ({ model, real: subject.store }), commands)
        }),
        { numRuns: 60 },
      )
    })
  })
}

function issueInModel(known: KnownUser, given: SessionEntry): IssueResult {
  const staying = known.sessions.filter(({ sessionId }) => sessionId !== given.replaces)
  const excess = staying.length + 1 - given.maxSessions
  if (excess > 0 && given.onLimit === 'refuse') return { issued: false, seenBefore: false, userInfo: null }
  known.sessions = staying.slice(Math.max(0, excess))
  const { record, createdAt: lastVisitAt, address } = given
  if (given.dropAt !== LONG_AGO) known.sessions.push({ sessionId: address.sessionId, record, lastVisitAt })
  const seenBefore = known.wasHere
  known.wasHere = true
  known.userInfo = given.userInfo ?? known.userInfo
  return { issued: true, seenBefore, userInfo: known.userInfo }
}

function rewriteInModel(known: KnownUser, changes: readonly RecordChange[]): number {
  let replaced = 0
  for (const { sessionId, from, to } of changes) {
    const found = known.sessions.find((each) => each.sessionId === sessionId)
    if (!found || found.record !== from) continue
    found.record = to
    replaced += 1
  }
  return replaced
}
