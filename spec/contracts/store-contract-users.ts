import assert from 'node:assert/strict'
import type { SessionEntry } from 'weapp-session'
import { LONG_AGO, newAddress, newHandle, type StoreUnderTest } from './store-under-test.js'

/** What holds for all sessions of one user: the list, the cap, the session that a login replaces. */
export function usersContract(subject: StoreUnderTest): void {
  const { describe, it, entry, issue, listedIds } = subject

  /** Logins of one user, a second apart, the last of them a second ago. */
  async function logins(count: number, differences: Partial<SessionEntry> = {}) {
    const handle = newHandle()
    const addresses = Array.from({ length: count }, () => newAddress(handle))
    const first = subject.now() - count * 1_000
    for (const [number, address] of addresses.entries()) {
      await issue({ address, createdAt: first + number * 1_000, ...differences })
    }
    return { handle, addresses, ids: addresses.map(({ sessionId }) => sessionId) }
  }

  describe('list', () => {
    it('is empty for an unknown user', async () => {
      assert.deepEqual(await subject.store.list(newHandle()), [])
    })

    it('shows each session as it is stored, oldest login first', async () => {
      const handle = newHandle()
      const start = subject.now()
      for (const number of [1, 2, 3]) {
        const address = { handle, sessionId: `${number}`.repeat(24) }
        await issue({ address, record: `record ${number}`, createdAt: start + number })
      }
      assert.deepEqual(
        await subject.store.list(handle),
        [1, 2, 3].map((number) => ({
          sessionId: `${number}`.repeat(24),
          record: `record ${number}`,
          lastVisitAt: start + number,
        })),
      )
    })

    it('goes by the time of login, not by the order in which logins arrive', async () => {
      const handle = newHandle()
      const second = await issue({ address: newAddress(handle) })
      const first = await issue({ address: newAddress(handle), createdAt: second.createdAt - 1_000 })
      assert.deepEqual(await listedIds(handle), [first.address.sessionId, second.address.sessionId])
    })

    it('keeps its order through touches', async () => {
      const { handle, addresses, ids } = await logins(3)
      for (const address of [...addresses].reverse()) {
        await subject.store.touch(address, subject.now() + 1, subject.now() + 5_000)
      }
      assert.deepEqual(await listedIds(handle), ids)
    })

    it('leaves out what has been dropped', async () => {
      const { handle, ids } = await logins(2)
      await issue({ address: newAddress(handle), dropAt: LONG_AGO })
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

    it('ends the login that is oldest, even if it was visited last', async () => {
      const { handle, addresses, ids } = await logins(2, { maxSessions: 2 })
      await subject.store.touch(addresses[0] ?? newAddress(), subject.now() + 1, subject.now() + 5_000)
      const { address } = await issue({ address: newAddress(handle), maxSessions: 2 })
      assert.deepEqual(await listedIds(handle), [ids[1], address.sessionId])
    })

    it('refuses one more when told to, and changes nothing then', async () => {
      const { handle, addresses, ids } = await logins(2, { maxSessions: 2, userInfo: 'kept' })
      const refused = entry({
        address: newAddress(handle),
        maxSessions: 2,
        onLimit: 'refuse',
        userInfo: 'new',
      })
      assert.deepEqual(await subject.store.issue(refused), {
        issued: false,
        seenBefore: false,
        userInfo: null,
      })
      assert.equal(await subject.store.read(refused.address), null)
      assert.deepEqual(await listedIds(handle), ids)
      assert.equal((await subject.store.read(addresses[0] ?? newAddress()))?.userInfo, 'kept')
    })

    it('lets a user in again when a session has ended', async () => {
      const { handle, addresses } = await logins(2, { maxSessions: 2 })
      await subject.store.remove(addresses[1] ?? newAddress())
      const login = entry({ address: newAddress(handle), maxSessions: 2, onLimit: 'refuse' })
      assert.equal((await subject.store.issue(login)).issued, true)
    })

    for (const onLimit of ['end-oldest', 'refuse'] as const) {
      it(`does not count dropped sessions with ${onLimit}`, async () => {
        const { handle, ids } = await logins(1)
        for (let dropped = 0; dropped < 3; dropped += 1) {
          await issue({ address: newAddress(handle), dropAt: LONG_AGO })
        }
        const login = entry({ address: newAddress(handle), maxSessions: 2, onLimit })
        assert.equal((await subject.store.issue(login)).issued, true)
        assert.deepEqual(await listedIds(handle), [...ids, login.address.sessionId])
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
        const login = entry({ address: newAddress(handle), maxSessions: 2, onLimit, replaces: ids[1] })
        assert.equal((await subject.store.issue(login)).issued, true)
        assert.deepEqual(await listedIds(handle), [ids[0], login.address.sessionId])
      })
    }

    it('does not mind when that session has gone', async () => {
      const { handle, addresses, ids } = await logins(2)
      await subject.store.remove(addresses[0] ?? newAddress())
      const { address } = await issue({ address: newAddress(handle), replaces: ids[0] })
      assert.deepEqual(await listedIds(handle), [ids[1], address.sessionId])
    })

    it('does not reach the session of another user', async () => {
      const other = await logins(1)
      await issue({ replaces: other.ids[0] })
      assert.deepEqual(await listedIds(other.handle), other.ids)
    })
  })
}
