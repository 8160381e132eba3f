import assert from 'node:assert/strict'
import type { SessionAddress } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import {
  endAllSessions,
  HOUR,
  newAddress,
  newHandle,
  newId,
  type StoreUnderTest,
} from './store-under-test.js'

const MANY = 2_400

export function revocationRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { issue, listedIds } = subject

  async function sessionsOf(handle: string, count: number): Promise<SessionAddress[]> {
    const addresses = Array.from({ length: count }, () => newAddress(handle))
    for (const address of addresses) await issue({ address })
    return addresses
  }

  async function alive(addresses: SessionAddress[]): Promise<number> {
    const visits = await Promise.all(addresses.map((address) => subject.store.read(address)))
    return visits.filter((visit) => visit !== null).length
  }

  describe('revokeUser', () => {
    it('ends all sessions of the user and returns how many', async () => {
      const handle = newHandle()
      const addresses = await sessionsOf(handle, 3)
      assert.equal(await subject.store.revokeUser(handle), 3)
      assert.equal(await alive(addresses), 0)
      assert.deepEqual(await listedIds(handle), [])
      assert.equal(await subject.store.revokeUser(handle), 0)
    })

    it('spares the session that is named', async () => {
      const handle = newHandle()
      const [first, spared = newAddress(), last] = await sessionsOf(handle, 3)
      assert.equal(await subject.store.revokeUser(handle, spared.sessionId), 2)
      assert.deepEqual(await listedIds(handle), [spared.sessionId])
      assert.notEqual(await subject.store.read(spared), null)
      assert.equal(await alive([first ?? spared, last ?? spared]), 0)
    })

    it('ends all when the session that is named is of somebody else', async () => {
      const [handle, other] = [newHandle(), await issue()]
      const addresses = await sessionsOf(handle, 2)
      assert.equal(await subject.store.revokeUser(handle, other.address.sessionId), 2)
      assert.equal(await alive(addresses), 0)
      assert.equal(await alive([other.address]), 1)
    })

    it('does not count what has been dropped', async () => {
      const handle = newHandle()
      await sessionsOf(handle, 2)
      await issue({ address: newAddress(handle), sessionDurationMs: 0 })
      assert.equal(await subject.store.revokeUser(handle), 2)
    })

    it('returns 0 for an unknown user', async () => {
      assert.equal(await subject.store.revokeUser(newHandle()), 0)
    })

    it('leaves the profile, and the sessions of others', async () => {
      const [{ address }, other] = [await issue({ userInfo: 'kept' }), await issue({ userInfo: 'other' })]
      await subject.store.revokeUser(address.handle)
      assert.equal((await subject.store.read(other.address))?.userInfo, 'other')
      const { seenBefore, userInfo } = await issue({ address: newAddress(address.handle) })
      assert.deepEqual([seenBefore, userInfo], [true, 'kept'])
    })
  })

  describe('revokeBatch', () => {
    it('is done at once, or soon, when there is nothing', async () => {
      assert.equal(await endAllSessions(subject.store), 0)
    })

    it(`ends ${MANY} sessions of many users, and counts each once`, async () => {
      const handles = Array.from({ length: MANY / 3 }, () => newHandle())
      const addresses = handles.flatMap((handle) => [1, 2, 3].map(() => newAddress(handle)))
      await Promise.all(addresses.map((address) => issue({ address })))
      assert.equal(await alive(addresses), MANY)

      assert.equal(await endAllSessions(subject.store), MANY)

      assert.equal(await alive(addresses), 0)
      const lists = await Promise.all(handles.map((handle) => listedIds(handle)))
      assert.deepEqual(lists.flat(), [])
      assert.equal(await endAllSessions(subject.store), 0)
    })

    it('does not count what has been dropped', async () => {
      const { address } = await issue()
      await issue({ address: newAddress(address.handle), sessionDurationMs: 0 })
      await issue({ sessionDurationMs: 0 })
      assert.equal(await endAllSessions(subject.store), 1)
    })

    it('leaves profiles and shared values', async () => {
      const id = newId()
      const { address } = await issue({ userInfo: 'kept' })
      await subject.store.replaceValue({ id, from: null, to: 'used', keepMs: HOUR })

      assert.equal(await endAllSessions(subject.store), 1)

      const { seenBefore, userInfo } = await issue({ address: newAddress(address.handle) })
      assert.deepEqual([seenBefore, userInfo], [true, 'kept'])
      assert.equal((await subject.store.readValue(id))?.text, 'used')
    })

    it('lets everyone log in again, with nothing counted against them', async () => {
      const handle = newHandle()
      await sessionsOf(handle, 2)
      await endAllSessions(subject.store)
      const { address } = await issue({ address: newAddress(handle), maxSessions: 1, onLimit: 'refuse' })
      assert.deepEqual(await listedIds(handle), [address.sessionId])
    })
  })
}
