import assert from 'node:assert/strict'
import type { SessionAddress, SessionStore } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { HOUR, newAddress, newId, type StoreUnderTest } from './store-under-test.js'

export interface Target {
  readonly store: SessionStore
  /** A live session with the record `old`. */
  readonly address: SessionAddress
  /** The id of the value `old`. */
  readonly valueId: string
  /** An id without a value. */
  readonly freeId: string
}

export type Change = (target: Target, withinMs: number | undefined) => Promise<unknown>

/** A change of each kind, by name. */
export function changesOf({ entry, now }: StoreUnderTest): Readonly<Record<string, Change>> {
  const issuing =
    (differences: (address: SessionAddress) => Parameters<typeof entry>[0]): Change =>
    ({ store, address }, withinMs) =>
      store.issue(entry({ address: newAddress(address.handle), ...differences(address) }), withinMs)

  return {
    'a login': issuing(() => ({ userInfo: 'new' })),
    'the first login of a user': ({ store }, withinMs) => store.issue(entry(), withinMs),
    'a login that ends the oldest session': issuing(() => ({ maxSessions: 1 })),
    'a login that is refused': issuing(() => ({ maxSessions: 1, onLimit: 'refuse' })),
    'a login that replaces a session': issuing(({ sessionId }) => ({ replaces: sessionId })),
    'a login that replaces a record': issuing(({ sessionId }) => ({
      replaces: sessionId,
      replacesRecord: 'old',
    })),
    'a login whose record is another': issuing(({ sessionId }) => ({
      replaces: sessionId,
      replacesRecord: 'other',
    })),
    'a touch': ({ store, address }, withinMs) =>
      store.touch(address, { sessionDurationMs: HOUR / 2, endsBy: now() + HOUR }, withinMs),
    'the end of a session': ({ store, address }, withinMs) => store.revoke(address, withinMs),
    'the end of a user': ({ store, address }, withinMs) =>
      store.revokeUser(address.handle, undefined, withinMs),
    'the end of a user but for one session': ({ store, address }, withinMs) =>
      store.revokeUser(address.handle, address.sessionId, withinMs),
    'a profile': ({ store, address }, withinMs) => store.writeUserInfo(address.handle, 'new', HOUR, withinMs),
    'the deletion of a profile': ({ store, address }, withinMs) =>
      store.writeUserInfo(address.handle, null, HOUR, withinMs),
    'a profile that is not kept': ({ store, address }, withinMs) =>
      store.writeUserInfo(address.handle, 'new', 0, withinMs),
    'a new record': ({ store, address }, withinMs) => {
      const change = { sessionId: address.sessionId, from: 'old', to: 'new' }
      return store.rewrite(address.handle, [change], withinMs)
    },
    'a new id': ({ store, address }, withinMs) => {
      const { sessionId } = address
      const newSessionId = newAddress(address.handle).sessionId
      return store.rewrite(address.handle, [{ sessionId, from: 'old', to: 'new', newSessionId }], withinMs)
    },
    'a first value': ({ store, freeId: id }, withinMs) =>
      store.replaceValue({ id, from: null, to: 'new', keepMs: HOUR }, withinMs),
    'another value': ({ store, valueId: id }, withinMs) =>
      store.replaceValue({ id, from: 'old', to: 'new', keepMs: HOUR }, withinMs),
    'another value, but not for long': ({ store, valueId: id }, withinMs) =>
      store.replaceValue({ id, from: 'old', to: 'new', keepMs: 0 }, withinMs),
    'a value that is not the one that was read': ({ store, valueId: id }, withinMs) =>
      store.replaceValue({ id, from: 'other', to: 'new', keepMs: HOUR }, withinMs),
    'the deletion of a value': ({ store, valueId: id }, withinMs) =>
      store.replaceValue({ id, from: 'old', to: null }, withinMs),
    'a first count': ({ store, freeId: id }, withinMs) =>
      store.addToValue({ id, add: 1, keepMs: HOUR }, withinMs),
    'a count in place of a value': ({ store, valueId: id }, withinMs) =>
      store.addToValue({ id, add: 1, keepMs: HOUR }, withinMs),
    'a count that comes to nothing': ({ store, valueId: id }, withinMs) =>
      store.addToValue({ id, add: -1, keepMs: HOUR }, withinMs),
    'the end of everybody': ({ store }, withinMs) => store.revokeBatch({ group: null }, withinMs),
    'the end of the users of an app': ({ store, address }, withinMs) =>
      store.revokeBatch({ group: address.handle.slice(0, 4) }, withinMs),
  }
}

export function lateRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { issue, moment } = subject
  const changes = changesOf(subject)

  async function newTarget(): Promise<Target> {
    const { store } = subject
    const { address } = await issue({ record: 'old', userInfo: 'old' })
    await issue({ address: newAddress(address.handle), record: 'old' })
    const [valueId, freeId] = [newId(), newId()]
    await store.replaceValue({ id: valueId, from: null, to: 'old', keepMs: HOUR })
    return { store, address, valueId, freeId }
  }

  /** Everything that can be read of a target, without `readAt`. */
  async function see({ store, address, valueId, freeId }: Target) {
    const { sessions, ...user } = await store.readUser(address.handle)
    const { text, writtenAt } = (await store.readValue(valueId)) ?? {}
    return {
      user,
      sessions: sessions.map(({ readAt, ...session }) => session),
      value: { text, writtenAt },
      free: await store.readValue(freeId),
    }
  }

  /** Checks that no mark was set. Comes last, as it changes the target. */
  async function seeByTrying({ address }: Target, beganAt: number): Promise<void> {
    await issue({ address: newAddress(address.handle), beganAt })
    await issue({ beganAt })
  }

  describe('a change that comes too late', () => {
    for (const [what, change] of Object.entries(changes)) {
      for (const withinMs of [0, -1]) {
        it(`is not made and throws: ${what}, within ${withinMs} ms`, async () => {
          const target = await newTarget()
          const beganAt = await moment()
          const before = await see(target)
          await assert.rejects(async () => change(target, withinMs), Error)
          assert.deepEqual(await see(target), before)
          await seeByTrying(target, beganAt)
        })
      }
    }
  })

  /** A result without its times, for comparison. */
  function outcome(result: unknown): unknown {
    if (typeof result !== 'object' || result === null) return result
    return 'state' in result ? result.state : Object.keys(result)
  }

  describe('a change that comes in time', () => {
    for (const [what, change] of Object.entries(changes)) {
      it(`does what it does without a limit: ${what}`, async () => {
        const [limited, unlimited] = [await newTarget(), await newTarget()]
        const result = await change(limited, HOUR)
        assert.deepEqual(outcome(result), outcome(await change(unlimited, undefined)))
      })
    }
  })
}
