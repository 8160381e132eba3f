import assert from 'node:assert/strict'
import type { SessionEntry } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { HOUR, newAddress, newHandle, type StoreUnderTest } from './store-under-test.js'

export function usersRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { entry, issue, listedIds } = subject

  /** Logins of one user, one after the other. */
  async function logins(count: number, differences: Partial<SessionEntry> = {}) {
    const handle = newHandle()
    const addresses = Array.from({ length: count }, () => newAddress(handle))
    for (const address of addresses) await issue({ address, ...differences })
    return { handle, addresses, ids: addresses.map(({ sessionId }) => sessionId) }
  }

  function touch(address: { handle: string; sessionId: string }) {
    return subject.store.touch(address, { sessionDurationMs: HOUR, endsBy: subject.now() + 2 * HOUR })
  }

  describe('readUser', () => {
    it('finds nothing of an unknown user', async () => {
      assert.deepEqual(await subject.store.readUser(newHandle()), {
        sessions: [],
        userInfo: null,
        wasHere: false,
      })
    })

    it('shows each session as it is stored, the one first that was issued first', async () => {
      const handle = newHandle()
      const expected = []
      for (const number of [1, 2, 3]) {
        const address = { handle, sessionId: `${number}`.repeat(24) }
        const { record, createdAt, lastVisitAt, endsAt } = await issue({
          address,
          record: `record ${number}`,
          sessionDurationMs: HOUR - number,
        })
        expected.push({ sessionId: address.sessionId, record, createdAt, lastVisitAt, endsAt })
      }
      const { sessions } = await subject.store.readUser(handle)
      assert.deepEqual(
        sessions.map(({ readAt, ...session }) => session),
        expected,
      )
    })

    it('goes by the order in which sessions were issued, not by the beginning of their logins', async () => {
      const handle = newHandle()
      const beganAt = await subject.moment()
      const late = await issue({ address: newAddress(handle), beganAt })
      const early = await issue({ address: newAddress(handle), beganAt: beganAt - 1_000_000 })
      assert.deepEqual(await listedIds(handle), [late.address.sessionId, early.address.sessionId])
    })

    it('keeps its order through touches', async () => {
      const { handle, addresses, ids } = await logins(3)
      for (const address of addresses.toReversed()) await touch(address)
      assert.deepEqual(await listedIds(handle), ids)
    })

    it('leaves out what has been dropped', async () => {
      const { handle, ids } = await logins(2)
      await issue({ address: newAddress(handle), sessionDurationMs: 0 })
      assert.deepEqual(await listedIds(handle), ids)
    })

    it('shows the sessions of one user only', async () => {
      const [one, other] = [await logins(2), await logins(3)]
      assert.deepEqual(await listedIds(one.handle), one.ids)
      assert.deepEqual(await listedIds(other.handle), other.ids)
    })
  })

  describe('the cap', () => {
    it('ends the oldest session for one more', async () => {
      const { handle, addresses, ids } = await logins(3, { maxSessions: 3 })
      const { address } = await issue({ address: newAddress(handle), maxSessions: 3 })
      assert.deepEqual(await listedIds(handle), [...ids.slice(1), address.sessionId])
      assert.equal(await subject.store.read(addresses[0] ?? address), null)
    })

    it('ends as many as are too many when it has become lower', async () => {
      const { handle, ids } = await logins(5, { maxSessions: 5 })
      const { address } = await issue({ address: newAddress(handle), maxSessions: 3 })
      assert.deepEqual(await listedIds(handle), [...ids.slice(3), address.sessionId])
    })

    it('leaves one session where one is allowed', async () => {
      const { handle, ids } = await logins(4, { maxSessions: 1 })
      assert.deepEqual(await listedIds(handle), ids.slice(3))
    })

    it('ends the session that was issued first, even if it was visited last', async () => {
      const { handle, addresses, ids } = await logins(2, { maxSessions: 2 })
      await touch(addresses[0] ?? newAddress())
      const { address } = await issue({ address: newAddress(handle), maxSessions: 2 })
      assert.deepEqual(await listedIds(handle), [ids[1], address.sessionId])
    })

    it('ends the session that was issued first, even if its login began last', async () => {
      const handle = newHandle()
      const beganAt = await subject.moment()
      await issue({ address: newAddress(handle), beganAt })
      const kept = await issue({ address: newAddress(handle), beganAt: beganAt - 1_000_000 })
      const { address } = await issue({ address: newAddress(handle), maxSessions: 2 })
      assert.deepEqual(await listedIds(handle), [kept.address.sessionId, address.sessionId])
    })

    it('refuses one more with onLimit `refuse`, and changes nothing then', async () => {
      const { handle, addresses, ids } = await logins(2, { maxSessions: 2, userInfo: 'kept' })
      const refused = entry({
        address: newAddress(handle),
        maxSessions: 2,
        onLimit: 'refuse',
        userInfo: 'new',
      })
      assert.deepEqual(await subject.store.issue(refused), { state: 'refused' })
      assert.equal(await subject.store.read(refused.address), null)
      assert.deepEqual(await listedIds(handle), ids)
      assert.equal((await subject.store.read(addresses[0] ?? newAddress()))?.userInfo, 'kept')
    })

    it('lets a user in again when a session has ended', async () => {
      const { handle, addresses } = await logins(2, { maxSessions: 2 })
      await subject.store.revoke(addresses[1] ?? newAddress())
      await issue({ address: newAddress(handle), maxSessions: 2, onLimit: 'refuse' })
    })

    for (const onLimit of ['end-oldest', 'refuse'] as const) {
      it(`does not count dropped sessions with ${onLimit}`, async () => {
        const { handle, ids } = await logins(1)
        for (let dropped = 0; dropped < 3; dropped += 1) {
          await issue({ address: newAddress(handle), sessionDurationMs: 0 })
        }
        const { address } = await issue({ address: newAddress(handle), maxSessions: 2, onLimit })
        assert.deepEqual(await listedIds(handle), [...ids, address.sessionId])
      })
    }

    it('counts each user alone', async () => {
      const [one, other] = [await logins(2, { maxSessions: 2 }), await logins(2, { maxSessions: 2 })]
      await issue({ address: newAddress(one.handle), maxSessions: 2 })
      assert.deepEqual(await listedIds(other.handle), other.ids)
    })
  })

  describe('a login that replaces a session', () => {
    it('ends that session and no other', async () => {
      const { handle, addresses, ids } = await logins(3)
      const { address } = await issue({ address: newAddress(handle), replaces: ids[1] })
      assert.deepEqual(await listedIds(handle), [ids[0], ids[2], address.sessionId])
      assert.equal(await subject.store.read(addresses[1] ?? address), null)
    })

    for (const onLimit of ['end-oldest', 'refuse'] as const) {
      it(`takes its place under the cap with ${onLimit}`, async () => {
        const { handle, ids } = await logins(2, { maxSessions: 2 })
        const given = { address: newAddress(handle), maxSessions: 2, onLimit, replaces: ids[1] }
        const { address } = await issue(given)
        assert.deepEqual(await listedIds(handle), [ids[0], address.sessionId])
      })
    }

    it('does not mind when that session has gone', async () => {
      const { handle, addresses, ids } = await logins(2)
      await subject.store.revoke(addresses[0] ?? newAddress())
      const { address } = await issue({ address: newAddress(handle), replaces: ids[0] })
      assert.deepEqual(await listedIds(handle), [ids[1], address.sessionId])
    })

    it('leaves that session when it is refused', async () => {
      const { handle, ids } = await logins(3, { maxSessions: 3 })
      const given = {
        address: newAddress(handle),
        maxSessions: 1,
        onLimit: 'refuse',
        replaces: ids[0],
      } as const
      assert.deepEqual(await subject.store.issue(entry(given)), { state: 'refused' })
      assert.deepEqual(await listedIds(handle), ids)
    })

    it('does not reach the session of another user', async () => {
      const other = await logins(1)
      await issue({ replaces: other.ids[0] })
      assert.deepEqual(await listedIds(other.handle), other.ids)
    })
  })
}
