import assert from 'node:assert/strict'
import type { SessionAddress } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import {
  endAllSessions,
  HOUR,
  newAddress,
  newGroup,
  newHandle,
  type StoreUnderTest,
} from './store-under-test.js'

/** Enough for a store to need several calls. */
const USERS = 800
const SESSIONS = 2 * USERS

export function everybodyRules(book: RuleBook, subject: StoreUnderTest): void {
  endRules(book, subject, { whom: 'everybody', group: null })
  endRules(book, subject, { whom: 'the users of an app', group: newGroup() })
}

/** The same rules hold for the end of everybody and for that of a group. */
function endRules(
  { describe, it }: RuleBook,
  subject: StoreUnderTest,
  { whom, group }: { whom: string; group: string | null },
): void {
  const { entry, issue, listedIds, moment } = subject

  /** One of those who are ended. */
  function newUser(): string {
    return group === null ? newHandle() : newHandle(group)
  }

  /** Two sessions each of many users. */
  async function sessionsOfMany(): Promise<SessionAddress[]> {
    const handles = Array.from({ length: USERS }, newUser)
    const addresses = handles.flatMap((handle) => [newAddress(handle), newAddress(handle)])
    await Promise.all(addresses.map((address) => issue({ address, record: 'old', userInfo: 'kept' })))
    return addresses
  }

  /** Runs the remaining batches. */
  async function finish(next: string | undefined): Promise<number> {
    return next === undefined ? 0 : endAllSessions(subject.store, { group, cursor: next })
  }

  async function isThere({ handle, sessionId }: SessionAddress): Promise<boolean> {
    const visit = await subject.store.read({ handle, sessionId })
    assert.equal((await listedIds(handle)).includes(sessionId), visit !== null)
    return visit !== null
  }

  describe(`from the first call of revokeBatch for ${whom} on`, () => {
    it('no session that was there is read, alone or with its user', async () => {
      const addresses = await sessionsOfMany()
      const { revoked, next } = await subject.store.revokeBatch({ group })
      const there = await Promise.all(addresses.map(isThere))
      assert.equal(there.some(Boolean), false)
      assert.equal(revoked + (await finish(next)), SESSIONS)
    })

    it('no session that was there is touched or rewritten, and neither revives one', async () => {
      const addresses = await sessionsOfMany()
      const { next } = await subject.store.revokeBatch({ group })
      const window = { sessionDurationMs: HOUR, endsBy: subject.now() + HOUR }
      const touched = await Promise.all(addresses.map((address) => subject.store.touch(address, window)))
      assert.equal(touched.some(Boolean), false)
      const rewritten = addresses.map(({ handle, sessionId }) =>
        subject.store.rewrite(handle, [{ sessionId, from: 'old', to: 'new' }]),
      )
      assert.equal((await Promise.all(rewritten)).some(Boolean), false)
      await finish(next)
      const there = await Promise.all(addresses.map(isThere))
      assert.equal(there.some(Boolean), false)
    })

    it('no session that was there is counted by another revocation', async () => {
      const addresses = await sessionsOfMany()
      const { revoked, next } = await subject.store.revokeBatch({ group })
      const half = addresses.length / 2
      const ones = addresses.slice(0, half).map((address) => subject.store.revoke(address))
      const users = addresses.slice(half).map(({ handle }) => subject.store.revokeUser(handle))
      assert.equal((await Promise.all([...ones, ...users])).some(Boolean), false)
      assert.ok(revoked + (await finish(next)) <= SESSIONS)
    })

    it('no session that was there is counted for the cap', async () => {
      const addresses = await sessionsOfMany()
      const { next } = await subject.store.revokeBatch({ group })
      for (const { handle } of addresses.slice(-4)) {
        const given = { address: newAddress(handle), maxSessions: 2, onLimit: 'refuse' } as const
        const { address } = await issue(given)
        assert.equal(await isThere(address), true)
      }
      await finish(next)
    })

    it('a login that began before is revoked, and leaves no trace', async () => {
      const addresses = await sessionsOfMany()
      const [{ handle } = newAddress()] = addresses.toReversed()
      const beganAt = await moment()
      const { next } = await subject.store.revokeBatch({ group })
      const known = entry({ address: newAddress(handle), beganAt, userInfo: 'new', maxSessions: 1 })
      const unknown = entry({ address: newAddress(newUser()), beganAt, userInfo: 'new' })
      assert.deepEqual(await subject.store.issue(known), { state: 'revoked' })
      assert.deepEqual(await subject.store.issue(unknown), { state: 'revoked' })
      await finish(next)
      assert.deepEqual(await subject.store.issue(known), { state: 'revoked' })
      assert.deepEqual(await subject.store.readUser(handle), {
        sessions: [],
        userInfo: 'kept',
        wasHere: true,
      })
      assert.deepEqual(await subject.store.readUser(unknown.address.handle), {
        sessions: [],
        userInfo: null,
        wasHere: false,
      })
    })

    it('a login that began after it is issued, and stays through all further calls', async () => {
      const addresses = await sessionsOfMany()
      const { revoked, next } = await subject.store.revokeBatch({ group })
      const beganAt = await moment()
      const handles = [newUser(), ...addresses.slice(0, 4).map(({ handle }) => handle)]
      const fresh: SessionAddress[] = []
      for (const handle of handles) {
        fresh.push((await issue({ address: newAddress(handle), beganAt })).address)
        fresh.push((await issue({ address: newAddress(handle) })).address)
      }
      assert.ok(revoked + (await finish(next)) <= SESSIONS)
      for (const address of fresh) assert.equal(await isThere(address), true)
      assert.equal((await listedIds(handles[0] ?? '')).length, 2)
    })

    it('a session can be touched, rewritten and revoked that was issued after it', async () => {
      const [old = newAddress()] = await sessionsOfMany()
      const { next } = await subject.store.revokeBatch({ group })
      const { address, createdAt } = await issue({ address: newAddress(old.handle), record: 'fresh' })
      const { handle, sessionId } = address
      const window = { sessionDurationMs: HOUR, endsBy: createdAt + HOUR }
      assert.notEqual(await subject.store.touch(address, window), null)
      assert.equal(await subject.store.rewrite(handle, [{ sessionId, from: 'fresh', to: 'new' }]), 1)
      assert.equal(await subject.store.revoke(address), true)
      await finish(next)
      assert.equal(await isThere(address), false)
    })

    it('an empty cursor ends nobody, and deletes what has ended', async () => {
      const addresses = await sessionsOfMany()
      const { revoked } = await subject.store.revokeBatch({ group })
      const handles = [newUser(), ...addresses.slice(0, 4).map(({ handle }) => handle)]
      const fresh = await Promise.all(handles.map((handle) => issue({ address: newAddress(handle) })))
      assert.ok(revoked + (await finish('')) <= SESSIONS)
      assert.equal(await finish(''), 0)
      for (const { address } of fresh) assert.equal(await isThere(address), true)
      for (const address of addresses.slice(0, 8)) assert.equal(await isThere(address), false)
    })

    it('profiles stay, and it is known who was here', async () => {
      const addresses = await sessionsOfMany()
      const { next } = await subject.store.revokeBatch({ group })
      const read = () => Promise.all(addresses.map(({ handle }) => subject.store.readUser(handle)))
      const meanwhile = await read()
      await finish(next)
      for (const { userInfo, wasHere } of [...meanwhile, ...(await read())]) {
        assert.deepEqual([userInfo, wasHere], ['kept', true])
      }
    })

    it('the same holds when they are ended once more', async () => {
      await endAllSessions(subject.store, { group })
      const { address } = await issue({ address: newAddress(newUser()), beganAt: await moment() })
      const beganAt = await moment()
      assert.equal(await endAllSessions(subject.store, { group }), 1)
      assert.equal(await isThere(address), false)
      assert.deepEqual(await subject.store.issue(entry({ address: newAddress(newUser()), beganAt })), {
        state: 'revoked',
      })
      const next = await issue({ address: newAddress(newUser()), beganAt: await moment() })
      assert.equal(await isThere(next.address), true)
    })

    it('no session stays because it was spared when its user was ended', async () => {
      const { address } = await issue({ address: newAddress(newUser()), beganAt: await moment() })
      await subject.store.revokeUser(address.handle, address.sessionId)
      assert.equal(await endAllSessions(subject.store, { group }), 1)
      assert.equal(await isThere(address), false)
    })
  })
}
