import assert from 'node:assert/strict'
import {
  AWKWARD_TEXTS,
  HOUR,
  LONG_AGO,
  newAddress,
  newHandle,
  type StoreUnderTest,
} from './store-under-test.js'

/** The profile that all sessions of a user share. */
export function profilesContract(subject: StoreUnderTest): void {
  const { describe, it, entry, issue } = subject

  async function profileAt(address: { handle: string; sessionId: string }): Promise<string | null> {
    const visit = await subject.store.read(address)
    return visit ? visit.userInfo : assert.fail('the session is gone')
  }

  describe('a profile', () => {
    it('is written by a login and answered by it', async () => {
      const login = entry({ userInfo: '{"nickName":"Band"}' })
      assert.deepEqual(await subject.store.issue(login), {
        issued: true,
        seenBefore: false,
        userInfo: '{"nickName":"Band"}',
      })
      assert.equal(await profileAt(login.address), '{"nickName":"Band"}')
    })

    it('is kept and answered by a login that brings none', async () => {
      const { address } = await issue({ userInfo: 'kept' })
      const login = entry({ address: newAddress(address.handle) })
      assert.deepEqual(await subject.store.issue(login), { issued: true, seenBefore: true, userInfo: 'kept' })
      assert.equal(await profileAt(login.address), 'kept')
    })

    it('is replaced by a login that brings another, for all sessions', async () => {
      const { address } = await issue({ userInfo: 'old' })
      const login = entry({ address: newAddress(address.handle), userInfo: 'new' })
      assert.deepEqual(await subject.store.issue(login), { issued: true, seenBefore: true, userInfo: 'new' })
      assert.equal(await profileAt(address), 'new')
    })

    it('is set for all sessions of the user', async () => {
      const { address } = await issue()
      const other = await issue({ address: newAddress(address.handle) })
      await subject.store.writeUserInfo(address.handle, 'set', subject.now() + HOUR)
      assert.deepEqual([await profileAt(address), await profileAt(other.address)], ['set', 'set'])
    })

    it('is deleted by null, for all sessions of the user', async () => {
      const { address } = await issue({ userInfo: 'old' })
      await subject.store.writeUserInfo(address.handle, null, subject.now() + HOUR)
      assert.equal(await profileAt(address), null)
      const login = entry({ address: newAddress(address.handle) })
      assert.deepEqual(await subject.store.issue(login), { issued: true, seenBefore: true, userInfo: null })
      assert.equal(await profileAt(login.address), null)
    })

    it('may be deleted where there is none', async () => {
      await subject.store.writeUserInfo(newHandle(), null, subject.now() + HOUR)
    })

    it('may be set before the first login', async () => {
      const login = entry()
      await subject.store.writeUserInfo(login.address.handle, 'early', subject.now() + HOUR)
      assert.deepEqual(await subject.store.issue(login), {
        issued: true,
        seenBefore: true,
        userInfo: 'early',
      })
    })

    it('is that of one user', async () => {
      const [one, other] = [await issue({ userInfo: 'one' }), await issue({ userInfo: 'other' })]
      await subject.store.writeUserInfo(one.address.handle, null, subject.now() + HOUR)
      assert.equal(await profileAt(other.address), 'other')
    })

    it('is gone when its end has passed', async () => {
      const { address } = await issue({ userInfo: 'old' })
      await subject.store.writeUserInfo(address.handle, 'late', LONG_AGO)
      assert.equal(await profileAt(address), null)
      const login = entry({ address: newAddress(address.handle) })
      assert.deepEqual(await subject.store.issue(login), { issued: true, seenBefore: false, userInfo: null })
    })

    it('is dropped when its end comes, while the session goes on', async () => {
      const end = subject.now() + 20
      const { address } = await issue({ userInfo: 'short', userInfoDropAt: end })
      await subject.reached(end + 1)
      assert.equal(await profileAt(address), null)
    })

    it('gets a new end from a login that brings none', async () => {
      const { address } = await issue({ userInfo: 'short', userInfoDropAt: subject.now() + HOUR })
      await issue({ address: newAddress(address.handle), userInfoDropAt: LONG_AGO })
      assert.equal(await profileAt(address), null)
    })

    it('outlives every session', async () => {
      const { address } = await issue({ userInfo: 'kept' })
      await subject.store.remove(address)
      const second = entry({ address: newAddress(address.handle) })
      assert.equal((await subject.store.issue(second)).userInfo, 'kept')
      await subject.store.removeUser(address.handle)
      const third = entry({ address: newAddress(address.handle), maxSessions: 1 })
      assert.equal((await subject.store.issue(third)).userInfo, 'kept')
    })

    it('stays through a touch', async () => {
      const { address, createdAt, dropAt } = await issue({ userInfo: 'kept' })
      await subject.store.touch(address, createdAt + 1, dropAt)
      assert.equal(await profileAt(address), 'kept')
    })

    it('is null for a user who has none, and never an empty text', async () => {
      const { address } = await issue()
      const again = entry({ address: newAddress(address.handle) })
      assert.equal((await subject.store.issue(again)).userInfo, null)
      assert.deepEqual([await profileAt(address), await profileAt(again.address)], [null, null])
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`keeps a text with ${what} byte for byte`, async () => {
        const login = entry({ userInfo: text })
        assert.equal((await subject.store.issue(login)).userInfo, text)
        assert.equal(await profileAt(login.address), text)
        await subject.store.writeUserInfo(login.address.handle, `again ${text}`, subject.now() + HOUR)
        assert.equal(await profileAt(login.address), `again ${text}`)
      })
    }
  })

  describe('whether a user was here', () => {
    const seen = (handle: string) => subject.store.hasSeen(handle)

    it('is false before the first login and true after it, with a profile and without', async () => {
      for (const userInfo of [undefined, '{}']) {
        const login = entry({ userInfo })
        assert.equal(await seen(login.address.handle), false)
        assert.equal((await subject.store.issue(login)).seenBefore, false)
        assert.equal(await seen(login.address.handle), true)
        const again = entry({ address: newAddress(login.address.handle) })
        assert.equal((await subject.store.issue(again)).seenBefore, true)
      }
    })

    it('is of one user', async () => {
      await issue()
      assert.equal(await seen(newHandle()), false)
      assert.equal((await subject.store.issue(entry())).seenBefore, false)
    })

    it('is asked without being changed', async () => {
      const { address } = entry()
      await seen(address.handle)
      assert.equal(await seen(address.handle), false)
      assert.equal((await subject.store.issue(entry({ address }))).seenBefore, false)
    })

    it('is remembered when every session and the profile have gone', async () => {
      const { address } = await issue({ userInfo: 'old' })
      await subject.store.writeUserInfo(address.handle, null, subject.now() + HOUR)
      await subject.store.removeUser(address.handle)
      assert.equal(await seen(address.handle), true)
      const again = entry({ address: newAddress(address.handle) })
      assert.deepEqual(await subject.store.issue(again), { issued: true, seenBefore: true, userInfo: null })
    })

    it('is forgotten with the end of the profile, even if there is none', async () => {
      const end = subject.now() + 20
      const { address } = await issue({ userInfoDropAt: end })
      await subject.reached(end + 1)
      assert.equal(await seen(address.handle), false)
      const again = entry({ address: newAddress(address.handle) })
      assert.equal((await subject.store.issue(again)).seenBefore, false)
    })

    it('is remembered longer after each login', async () => {
      const end = subject.now() + 20
      const { address } = await issue({ userInfoDropAt: end })
      await issue({ address: newAddress(address.handle) })
      await subject.reached(end + 1)
      assert.equal(await seen(address.handle), true)
    })

    it('is true for all but one of many first logins at once', async () => {
      const handle = newHandle()
      const logins = Array.from({ length: 20 }, () => entry({ address: newAddress(handle) }))
      const results = await Promise.all(logins.map((login) => subject.store.issue(login)))
      assert.equal(results.filter(({ seenBefore }) => !seenBefore).length, 1)
    })
  })
}
