import assert from 'node:assert/strict'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { RecordChange, SessionStore } from 'weapp-session'
import { MOST_COUNTED } from '../../lib/sessions/store.js'
import { groupIn } from '../../lib/sessions/token.js'
import type { StoreContractOptions } from '../../store-contract/index.js'
import { changesOf } from '../../store-contract/late.js'
import { endAllSessions, HOUR, storeUnderTest } from '../../store-contract/store-under-test.js'
import {
  type KnownUser,
  type Model,
  newModel,
  predictAddition,
  predictIssue,
  predictRewrite,
  predictTouch,
} from './store-model.js'

const USERS = 2
const SESSIONS = 6

type Operation = fc.AsyncCommand<Model, SessionStore>
type Run = (known: KnownUser, store: SessionStore, model: Model) => Promise<void>

/** No two users share an id: it is a digest of the whole token. */
function idOf({ handle }: KnownUser, number: number): string {
  return `${number}${handle}`.padEnd(24, '_')
}

/** That many random sequences of calls, compared with a model after each of them. */
export function anyCallsContract(
  { createStore, now = Date.now }: StoreContractOptions,
  sequences: number,
): void {
  let current: SessionStore
  const subject = storeUnderTest(now, () => current)
  const { entry } = subject
  const user = fc.nat({ max: USERS - 1 })
  const session = fc.nat({ max: SESSIONS - 1 })
  const durationMs = fc.constantFrom(HOUR, HOUR, HOUR, 0)
  const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', '\r'))
  const someText = fc.string({ minLength: 1 })
  const someValue = fc.oneof(someText, fc.constantFrom('0', '007', '-1', '999999999999998', '9'.repeat(16)))

  function operation(text: string, userIndex: number, run: Run): Operation {
    return {
      check: () => true,
      toString: () => `user ${userIndex}: ${text}`,
      async run(model, store) {
        const known = model.users[userIndex] ?? assert.fail('the model has too few users')
        model.events += 1
        model.beginnings.push({ at: await subject.moment(), event: model.events })
        await run(known, store, model)
        await Promise.all(model.users.map((each) => agree(each, store)))
      },
    }
  }

  const issuing = fc
    .record({
      userIndex: user,
      session,
      maxSessions: fc.integer({ min: 1, max: 4 }),
      onLimit: fc.constantFrom('end-oldest' as const, 'refuse' as const),
      replaces: fc.option(session, { nil: undefined, freq: 2 }),
      userInfo: fc.option(someText, { nil: undefined }),
      sessionDurationMs: durationMs,
      loginDurationMs: fc.constantFrom(2 * HOUR, HOUR / 2),
      record: line,
      /** How many calls ago the login began. */
      begun: fc.option(fc.nat({ max: 4 }), { nil: undefined, freq: 2 }),
    })
    .map(({ userIndex, begun, ...login }) =>
      operation(`issue ${JSON.stringify({ begun, ...login })}`, userIndex, async (known, store, model) => {
        const sessionId = idOf(known, login.session)
        // A session id is random in truth: one that is taken does not come a second time.
        if (known.sessions.some((each) => each.sessionId === sessionId)) return
        const began = begun === undefined ? undefined : model.beginnings.at(-1 - begun)
        const given = entry({
          address: { handle: known.handle, sessionId },
          beganAt: began?.at,
          record: login.record,
          sessionDurationMs: login.sessionDurationMs,
          loginDurationMs: login.loginDurationMs,
          maxSessions: login.maxSessions,
          onLimit: login.onLimit,
          replaces: login.replaces === undefined ? undefined : idOf(known, login.replaces),
          userInfo: login.userInfo,
        })
        predictIssue({ known, given, began, result: await store.issue(given) })
      }),
    )

  const touching = fc
    .record({ userIndex: user, number: session, sessionDurationMs: durationMs, isBounded: fc.boolean() })
    .map(({ userIndex, number, sessionDurationMs, isBounded }) =>
      operation(`touch ${number} for ${sessionDurationMs} ms`, userIndex, async (known, store) => {
        const sessionId = idOf(known, number)
        const endsBy = subject.now() + (isBounded ? HOUR / 2 : 2 * HOUR)
        const window = { sessionDurationMs, endsBy }
        const visit = await store.touch({ handle: known.handle, sessionId }, window)
        predictTouch({ known, sessionId, window, visit })
      }),
    )

  const revoking = fc.record({ userIndex: user, number: session }).map(({ userIndex, number }) =>
    operation(`revoke ${number}`, userIndex, async (known, store) => {
      const sessionId = idOf(known, number)
      const remaining = known.sessions.filter((each) => each.sessionId !== sessionId)
      const revoked = await store.revoke({ handle: known.handle, sessionId })
      assert.equal(revoked, remaining.length < known.sessions.length)
      known.sessions = remaining
    }),
  )

  const revokingUser = fc
    .record({ userIndex: user, spared: fc.option(session, { nil: undefined }) })
    .map(({ userIndex, spared }) =>
      operation(`revokeUser except ${spared}`, userIndex, async (known, store, model) => {
        const except = spared === undefined ? undefined : idOf(known, spared)
        const remaining = known.sessions.filter(({ sessionId }) => sessionId === except)
        const revoked = await store.revokeUser(known.handle, except)
        assert.equal(revoked, known.sessions.length - remaining.length)
        known.sessions = remaining
        model.events += 1
        known.endedBy = model.events
      }),
    )

  const revokingAll = fc.constant(
    operation('revokeBatch to the end', 0, async (_, store, model) => {
      const count = model.users.reduce((sum, { sessions }) => sum + sessions.length, 0)
      assert.equal(await endAllSessions(store), count)
      model.events += 1
      for (const each of model.users) Object.assign(each, { sessions: [], endedBy: model.events })
    }),
  )

  const revokingGroup = fc.record({ userIndex: user }).map(({ userIndex }) =>
    operation('revokeBatch of a group to the end', userIndex, async ({ handle }, store, model) => {
      const group = groupIn(handle)
      const ended = model.users.filter((each) => groupIn(each.handle) === group)
      const count = ended.reduce((sum, { sessions }) => sum + sessions.length, 0)
      assert.equal(await endAllSessions(store, { group }), count)
      model.events += 1
      for (const each of ended) Object.assign(each, { sessions: [], endedBy: model.events })
    }),
  )

  const writingProfile = fc
    .record({ userIndex: user, userInfo: fc.option(someText), keepMs: durationMs })
    .map(({ userIndex, userInfo, keepMs }) =>
      operation(`writeUserInfo ${userInfo} for ${keepMs} ms`, userIndex, async (known, store) => {
        await store.writeUserInfo(known.handle, userInfo, keepMs)
        known.userInfo = keepMs > 0 ? userInfo : null
        known.wasHere = keepMs > 0
      }),
    )

  const rewriting = fc
    .record({
      userIndex: user,
      wishes: fc.uniqueArray(fc.record({ session, isStale: fc.boolean(), to: line }), {
        selector: (wish) => wish.session,
      }),
    })
    .map(({ userIndex, wishes }) =>
      operation(`rewrite ${JSON.stringify(wishes)}`, userIndex, async (known, store) => {
        const changes = wishes.map((wish): RecordChange => {
          const sessionId = idOf(known, wish.session)
          const record = known.sessions.find((each) => each.sessionId === sessionId)?.record ?? ''
          return { sessionId, from: wish.isStale ? `${record} of old` : record, to: wish.to }
        })
        assert.equal(await store.rewrite(known.handle, changes), predictRewrite(known, changes))
      }),
    )

  const replacingValue = fc
    .record({
      userIndex: user,
      guess: fc.option(someValue),
      isKnown: fc.boolean(),
      to: fc.option(someValue),
      keepMs: fc.option(durationMs, { nil: undefined }),
    })
    .map(({ userIndex, ...given }) =>
      operation(`replaceValue ${JSON.stringify(given)}`, userIndex, async (known, store) => {
        const { handle: id, value } = known
        const from = given.isKnown ? value : given.guess
        const keepMs = given.keepMs ?? (from === null ? HOUR : undefined)
        const outcome = await store.replaceValue({ id, from, to: given.to, keepMs })
        assert.equal(outcome.isReplaced, from === value)
        if (outcome.isReplaced) known.value = keepMs === 0 ? null : given.to
        assert.equal(outcome.value?.text ?? null, known.value)
      }),
    )

  const addingToValue = fc
    .record({
      userIndex: user,
      add: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(MOST_COUNTED, -MOST_COUNTED)),
      keepMs: durationMs,
    })
    .map(({ userIndex, add, keepMs }) =>
      operation(`addToValue ${add} for ${keepMs} ms`, userIndex, async (known, store) => {
        const counted = await store.addToValue({ id: known.handle, add, keepMs })
        predictAddition({ known, add, keepMs, counted })
      }),
    )

  const beingLate = fc
    .record({
      userIndex: user,
      number: session,
      change: fc.constantFrom(...Object.entries(changesOf(subject))),
    })
    .map(({ userIndex, number, change: [what, change] }) =>
      operation(`${what}, too late`, userIndex, async (known, store) => {
        const address = { handle: known.handle, sessionId: idOf(known, number) }
        const ids = { valueId: known.handle, freeId: known.handle }
        await assert.rejects(async () => change({ store, address, ...ids }, 0), Error)
      }),
    )

  async function agree(known: KnownUser, store: SessionStore): Promise<void> {
    const ids = Array.from({ length: SESSIONS }, (_, number) => idOf(known, number))
    const [{ sessions, userInfo, wasHere }, value, ...visits] = await Promise.all([
      store.readUser(known.handle),
      store.readValue(known.handle),
      ...ids.map((sessionId) => store.read({ handle: known.handle, sessionId })),
    ])
    assert.deepEqual(
      sessions.map(({ readAt, ...each }) => each),
      known.sessions,
    )
    assert.deepEqual({ userInfo, wasHere }, { userInfo: known.userInfo, wasHere: known.wasHere })
    assert.equal(value?.text ?? null, known.value)
    for (const [number, visit] of visits.entries()) {
      const found = known.sessions.find(({ sessionId }) => sessionId === ids[number])
      const expected = found ? { ...found, readAt: visit?.readAt, userInfo: known.userInfo } : null
      assert.deepEqual(visit, expected)
    }
  }

  describe('any sequence of calls', () => {
    beforeEach(async () => {
      current = await createStore()
    })

    afterEach(() => current.close?.())

    it('leaves what a simple model predicts', async () => {
      const operations = fc.commands(
        [
          ...Array.from({ length: 6 }, () => issuing),
          touching,
          rewriting,
          revoking,
          revokingUser,
          revokingAll,
          revokingGroup,
          writingProfile,
          replacingValue,
          addingToValue,
          addingToValue,
          beingLate,
        ],
        { maxCommands: 30, size: 'max' },
      )
      await fc.assert(
        fc.asyncProperty(operations, async (commands) => {
          await endAllSessions(subject.store)
          await fc.asyncModelRun(() => ({ model: newModel(USERS), real: subject.store }), commands)
        }),
        { numRuns: sequences },
      )
    })
  })
}
