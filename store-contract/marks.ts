import assert from 'node:assert/strict'
import type { RuleBook } from './rule-book.js'
import { HOUR, newAddress, newHandle, type StoreUnderTest } from './store-under-test.js'

export function marksRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { entry, issue, listedIds, moment } = subject

  /** Everything that can be read of a user, without `readAt`. */
  async function knownOf(handle: string) {
    const { sessions, ...user } = await subject.store.readUser(handle)
    return { ...user, sessions: sessions.map(({ readAt, ...session }) => session) }
  }

  describe('a login that began before its user was ended', () => {
    it('is revoked, and leaves no trace', async () => {
      const address = newAddress()
      const beganAt = await moment()
      await subject.store.revokeUser(address.handle)
      const revoked = entry({ address, beganAt, userInfo: 'new' })
      assert.deepEqual(await subject.store.issue(revoked), { state: 'revoked' })
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await knownOf(address.handle), { sessions: [], userInfo: null, wasHere: false })
    })

    it('is revoked again when it is tried again', async () => {
      const address = newAddress()
      const beganAt = await moment()
      await subject.store.revokeUser(address.handle)
      for (let tries = 0; tries < 3; tries += 1) {
        assert.deepEqual(await subject.store.issue(entry({ address, beganAt })), { state: 'revoked' })
      }
    })

    it('is revoked also after a login that began later', async () => {
      const { handle } = newAddress()
      const beganAt = await moment()
      await subject.store.revokeUser(handle)
      const { address } = await issue({ address: newAddress(handle), beganAt: await moment() })
      const revoked = entry({ address: newAddress(handle), beganAt })
      assert.deepEqual(await subject.store.issue(revoked), { state: 'revoked' })
      assert.deepEqual(await listedIds(handle), [address.sessionId])
    })

    it('is revoked however long before it began', async () => {
      const handle = newHandle()
      const beganAt = (await moment()) - 24 * HOUR * 1000
      await subject.store.revokeUser(handle)
      const revoked = entry({ address: newAddress(handle), beganAt, loginDurationMs: 48 * HOUR })
      assert.deepEqual(await subject.store.issue(revoked), { state: 'revoked' })
    })

    it('is revoked by each end of the user, not only the first', async () => {
      const handle = newHandle()
      const first = await moment()
      await subject.store.revokeUser(handle)
      const second = await moment()
      await subject.store.revokeUser(handle)
      for (const beganAt of [first, second]) {
        const revoked = entry({ address: newAddress(handle), beganAt })
        assert.deepEqual(await subject.store.issue(revoked), { state: 'revoked' })
      }
    })

    it('is revoked also where one session was spared', async () => {
      const spared = await issue({ userInfo: 'kept' })
      const { handle, sessionId } = spared.address
      const beganAt = await moment()
      await subject.store.revokeUser(handle, sessionId)
      const revoked = entry({ address: newAddress(handle), beganAt })
      assert.deepEqual(await subject.store.issue(revoked), { state: 'revoked' })
      assert.equal(await subject.store.read(revoked.address), null)
      assert.deepEqual(await listedIds(handle), [sessionId])
    })

    it('ends nothing at the cap, replaces nothing, and changes no profile', async () => {
      const { address } = await issue({ userInfo: 'kept' })
      const { handle, sessionId } = address
      const beganAt = await moment()
      await subject.store.revokeUser(handle, sessionId)
      await issue({ address: newAddress(handle) })
      const before = await knownOf(handle)
      for (const differences of [
        { maxSessions: 1 },
        { replaces: sessionId },
        { userInfo: 'new' },
        { userInfoDurationMs: 0 },
      ]) {
        const revoked = entry({ address: newAddress(handle), beganAt, ...differences })
        assert.deepEqual(await subject.store.issue(revoked), { state: 'revoked' })
        assert.deepEqual(await knownOf(handle), before)
      }
    })

    it('is revoked, not refused, where the user has too many sessions', async () => {
      const { address } = await issue()
      const { handle, sessionId } = address
      const beganAt = await moment()
      await subject.store.revokeUser(handle, sessionId)
      const revoked = entry({ address: newAddress(handle), beganAt, maxSessions: 1, onLimit: 'refuse' })
      assert.deepEqual(await subject.store.issue(revoked), { state: 'revoked' })
    })
  })

  describe('the end of a user', () => {
    it('lets a login in that began after it', async () => {
      const { address } = await issue()
      await subject.store.revokeUser(address.handle)
      const next = await issue({ address: newAddress(address.handle), beganAt: await moment() })
      assert.notEqual(await subject.store.read(next.address), null)
      assert.deepEqual(await listedIds(address.handle), [next.address.sessionId])
    })

    it('lets a login in that does not say when it began', async () => {
      const handle = newHandle()
      await subject.store.revokeUser(handle)
      const { address } = await issue({ address: newAddress(handle) })
      assert.deepEqual(await listedIds(handle), [address.sessionId])
    })

    it('does not concern the logins of other users', async () => {
      const beganAt = await moment()
      await subject.store.revokeUser(newHandle())
      const { address } = await issue({ beganAt })
      assert.notEqual(await subject.store.read(address), null)
    })

    it('leaves a session that it spares until it comes again', async () => {
      const { address } = await issue({ beganAt: await moment() })
      const { handle, sessionId } = address
      await subject.store.revokeUser(handle, sessionId)
      assert.notEqual(await subject.store.read(address), null)
      assert.equal(await subject.store.revokeUser(handle), 1)
      assert.equal(await subject.store.read(address), null)
    })
  })
}
