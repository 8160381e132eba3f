import assert from 'node:assert/strict'
import type { SessionAddress } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { AWKWARD_LINES, HOUR, newAddress, newHandle, type StoreUnderTest } from './store-under-test.js'

export function profilesRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { issue } = subject

  async function profileAt(address: SessionAddress): Promise<string | null> {
    const visit = await subject.store.read(address)
    return visit ? visit.userInfo : assert.fail('the session is gone')
  }

  async function profileOf({ handle }: SessionAddress): Promise<string | null> {
    return (await subject.store.readUser(handle)).userInfo
  }

  /** Logs the user in again. */
  async function again(
    { handle }: SessionAddress,
    differences: { userInfo?: string; userInfoDurationMs?: number } = {},
  ) {
    const { address, seenBefore, userInfo } = await issue({ address: newAddress(handle), ...differences })
    return { address, told: { seenBefore, userInfo } }
  }

  describe('a profile', () => {
    it('is written by a login and returned by it', async () => {
      const { address, seenBefore, userInfo } = await issue({ userInfo: '{"nickName":"Band"}' })
      assert.deepEqual({ seenBefore, userInfo }, { seenBefore: false, userInfo: '{"nickName":"Band"}' })
      assert.equal(await profileAt(address), '{"nickName":"Band"}')
      assert.equal(await profileOf(address), '{"nickName":"Band"}')
    })

    it('is kept and told by a login that brings none', async () => {
      const { address } = await issue({ userInfo: 'kept' })
      const next = await again(address)
      assert.deepEqual(next.told, { seenBefore: true, userInfo: 'kept' })
      assert.equal(await profileAt(next.address), 'kept')
    })

    it('is replaced by a login that brings another, for all sessions', async () => {
      const { address } = await issue({ userInfo: 'old' })
      const next = await again(address, { userInfo: 'new' })
      assert.deepEqual(next.told, { seenBefore: true, userInfo: 'new' })
      assert.equal(await profileAt(address), 'new')
    })

    it('is set for all sessions of the user', async () => {
      const { address } = await issue()
      const other = await again(address)
      await subject.store.writeUserInfo(address.handle, 'set', HOUR)
      assert.deepEqual([await profileAt(address), await profileAt(other.address)], ['set', 'set'])
      assert.equal(await profileOf(address), 'set')
    })

    it('is deleted by null, for all sessions of the user', async () => {
      const { address } = await issue({ userInfo: 'old' })
      await subject.store.writeUserInfo(address.handle, null, HOUR)
      assert.deepEqual([await profileAt(address), await profileOf(address)], [null, null])
      const next = await again(address)
      assert.deepEqual(next.told, { seenBefore: true, userInfo: null })
      assert.equal(await profileAt(next.address), null)
    })

    it('may be deleted where there is none', async () => {
      await subject.store.writeUserInfo(newHandle(), null, HOUR)
    })

    it('may be set before the first login', async () => {
      const address = newAddress()
      await subject.store.writeUserInfo(address.handle, 'early', HOUR)
      assert.equal(await profileOf(address), 'early')
      assert.deepEqual((await again(address)).told, { seenBefore: true, userInfo: 'early' })
    })

    it('is that of one user', async () => {
      const [one, other] = [await issue({ userInfo: 'one' }), await issue({ userInfo: 'other' })]
      await subject.store.writeUserInfo(one.address.handle, null, HOUR)
      assert.equal(await profileAt(other.address), 'other')
    })

    for (const keepMs of [0, -HOUR]) {
      it(`is gone at once when it is kept for ${keepMs} ms`, async () => {
        const { address } = await issue({ userInfo: 'old' })
        await subject.store.writeUserInfo(address.handle, 'late', keepMs)
        assert.deepEqual([await profileAt(address), await profileOf(address)], [null, null])
        assert.deepEqual((await again(address)).told, { seenBefore: false, userInfo: null })
      })
    }

    it('is dropped when its end comes, while the session goes on', async () => {
      const { address } = await issue({ userInfo: 'short', userInfoDurationMs: 20 })
      await subject.passed(20)
      assert.deepEqual([await profileAt(address), await profileOf(address)], [null, null])
    })

    it('gets an earlier end from a login that brings none', async () => {
      const { address } = await issue({ userInfo: 'short', userInfoDurationMs: HOUR })
      await again(address, { userInfoDurationMs: 0 })
      assert.equal(await profileAt(address), null)
    })

    it('gets a later end from a login that brings none', async () => {
      let address = newAddress()
      const durationMs = await subject.inTime(async (userInfoDurationMs) => {
        const first = await issue({ userInfo: 'kept', userInfoDurationMs })
        address = first.address
        return (await again(address)).told.userInfo === 'kept'
      })
      await subject.passed(durationMs)
      assert.equal(await profileAt(address), 'kept')
    })

    it('outlives every session', async () => {
      const { address } = await issue({ userInfo: 'kept' })
      await subject.store.revoke(address)
      assert.equal((await again(address)).told.userInfo, 'kept')
      await subject.store.revokeUser(address.handle)
      assert.equal(await profileOf(address), 'kept')
      assert.equal((await again(address)).told.userInfo, 'kept')
    })

    it('is null for a user who has none, and never an empty text', async () => {
      const { address, userInfo } = await issue()
      const next = await again(address)
      assert.deepEqual([userInfo, next.told.userInfo], [null, null])
      assert.deepEqual([await profileAt(address), await profileOf(address)], [null, null])
    })

    for (const [what, text] of Object.entries(AWKWARD_LINES)) {
      it(`keeps a text with ${what} byte for byte`, async () => {
        const { address, userInfo } = await issue({ userInfo: text })
        assert.equal(userInfo, text)
        assert.deepEqual([await profileAt(address), await profileOf(address)], [text, text])
        await subject.store.writeUserInfo(address.handle, `again ${text}`, HOUR)
        assert.equal(await profileAt(address), `again ${text}`)
        assert.equal((await again(address)).told.userInfo, `again ${text}`)
      })
    }
  })

  describe('whether a user was here', () => {
    async function wasHere({ handle }: SessionAddress): Promise<boolean> {
      return (await subject.store.readUser(handle)).wasHere
    }

    it('is false before the first login and true after it, with a profile and without', async () => {
      for (const differences of [{}, { userInfo: '{}' }]) {
        const address = newAddress()
        assert.equal(await wasHere(address), false)
        assert.equal((await again(address, differences)).told.seenBefore, false)
        assert.equal(await wasHere(address), true)
        assert.equal((await again(address)).told.seenBefore, true)
      }
    })

    it('is of one user', async () => {
      await issue()
      assert.equal(await wasHere(newAddress()), false)
      assert.equal((await issue()).seenBefore, false)
    })

    it('is asked without being changed', async () => {
      const address = newAddress()
      await wasHere(address)
      assert.equal(await wasHere(address), false)
      assert.equal((await again(address)).told.seenBefore, false)
    })

    it('is remembered when every session and the profile have gone', async () => {
      const { address } = await issue({ userInfo: 'old' })
      await subject.store.writeUserInfo(address.handle, null, HOUR)
      await subject.store.revokeUser(address.handle)
      assert.equal(await wasHere(address), true)
      assert.deepEqual((await again(address)).told, { seenBefore: true, userInfo: null })
    })

    it('is forgotten with the end of the profile, even if there is none', async () => {
      const { address } = await issue({ userInfoDurationMs: 20 })
      await subject.passed(20)
      assert.equal(await wasHere(address), false)
      assert.equal((await again(address)).told.seenBefore, false)
    })

    it('is remembered longer after each login', async () => {
      let address = newAddress()
      const durationMs = await subject.inTime(async (userInfoDurationMs) => {
        const first = await issue({ userInfoDurationMs })
        address = first.address
        return (await again(address)).told.seenBefore
      })
      await subject.passed(durationMs)
      assert.equal(await wasHere(address), true)
    })

    it('does not become true when a user is ended', async () => {
      const address = newAddress()
      await subject.store.revokeUser(address.handle)
      assert.equal(await wasHere(address), false)
      assert.equal((await again(address)).told.seenBefore, false)
    })

    it('is true for all but one of many first logins at once', async () => {
      const { address } = subject.entry()
      const logins = await Promise.all(Array.from({ length: 20 }, () => again(address)))
      assert.equal(logins.filter(({ told }) => !told.seenBefore).length, 1)
    })
  })
}
