import assert from 'node:assert/strict'
import type { SessionAddress, SessionEntry } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { endAllSessions, HOUR, newAddress, type StoreUnderTest } from './store-under-test.js'

export function replacementsRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { entry, issue, listedIds } = subject

  /** A login that must replace the session, as long as that has this record. */
  function replacing(
    { handle, sessionId }: SessionAddress,
    replacesRecord: string,
    differences: Partial<SessionEntry> = {},
  ): SessionEntry {
    const replaced = { replaces: sessionId, replacesRecord, record: 'new' }
    return entry({ address: newAddress(handle), ...replaced, ...differences })
  }

  /** What is known of a user, without `readAt`. */
  async function knownOf(handle: string) {
    const { sessions, ...user } = await subject.store.readUser(handle)
    return { ...user, sessions: sessions.map(({ readAt, ...session }) => session) }
  }

  const rename = ({ handle, sessionId }: SessionAddress, next: SessionAddress, from = 'old', to = 'new') =>
    subject.store.rewrite(handle, [{ sessionId, from, to, newSessionId: next.sessionId }])

  const ends: Record<string, (address: SessionAddress) => Promise<unknown>> = {
    'was revoked': (address) => subject.store.revoke(address),
    'was ended with all of its user': ({ handle }) => subject.store.revokeUser(handle),
    'was ended with all there are': () => endAllSessions(subject.store),
    'was replaced by a login': ({ handle, sessionId }) =>
      issue({ address: newAddress(handle), replaces: sessionId }),
    'has been dropped': (address) =>
      subject.store.touch(address, { sessionDurationMs: 0, endsBy: subject.now() + HOUR }),
    'has another id': (address) => rename(address, newAddress(address.handle), 'old', 'old'),
  }

  describe('a login that must replace a record', () => {
    for (const record of ['old', '']) {
      it(`ends the session that has it: ${JSON.stringify(record)}`, async () => {
        const { address } = await issue({ record })
        const next = await issue(replacing(address, record))
        assert.deepEqual(await listedIds(address.handle), [next.address.sessionId])
        assert.equal(await subject.store.read(address), null)
      })
    }

    it('is unmatched by another record, and changes nothing', async () => {
      const { address } = await issue({ record: 'old', userInfo: 'kept' })
      await issue({ address: newAddress(address.handle) })
      const before = await knownOf(address.handle)
      for (const record of ['', 'ol', 'old ', 'new', '=old']) {
        const login = replacing(address, record, { maxSessions: 1, userInfo: 'new', userInfoDurationMs: 0 })
        assert.deepEqual(await subject.store.issue(login), { state: 'unmatched' })
      }
      assert.deepEqual(await knownOf(address.handle), before)
    })

    for (const [what, ending] of Object.entries(ends)) {
      it(`is unmatched by a session that ${what}`, async () => {
        const { address } = await issue({ record: 'old' })
        await ending(address)
        const before = await knownOf(address.handle)
        assert.deepEqual(await subject.store.issue(replacing(address, 'old')), { state: 'unmatched' })
        assert.deepEqual(await knownOf(address.handle), before)
      })
    }

    it('is unmatched by the session of another user', async () => {
      const { address } = await issue({ record: 'old' })
      const elsewhere = { ...newAddress(), sessionId: address.sessionId }
      assert.deepEqual(await subject.store.issue(replacing(elsewhere, 'old')), { state: 'unmatched' })
      assert.deepEqual(await listedIds(address.handle), [address.sessionId])
    })

    it('is issued when it is sent again, as its own session is there', async () => {
      const { address } = await issue({ record: 'old' })
      const login = replacing(address, 'old')
      await issue(login)
      await issue(login)
      assert.deepEqual(await listedIds(address.handle), [login.address.sessionId])
    })

    it('is revoked when its user was ended since it began', async () => {
      const { address } = await issue({ record: 'old' })
      const beganAt = await subject.moment()
      await subject.store.revokeUser(address.handle, address.sessionId)
      const login = replacing(address, 'old', { beganAt })
      assert.deepEqual(await subject.store.issue(login), { state: 'revoked' })
      assert.deepEqual(await listedIds(address.handle), [address.sessionId])
    })

    it('is one of many: the others are unmatched', async () => {
      const { address } = await issue({ record: 'old' })
      const logins = Array.from({ length: 20 }, () => replacing(address, 'old'))
      const results = await Promise.all(logins.map((login) => subject.store.issue(login)))
      const issued = logins.filter((_, number) => results[number]?.state === 'issued')
      assert.equal(issued.length, 1)
      assert.equal(results.filter(({ state }) => state === 'unmatched').length, 19)
      assert.deepEqual(await listedIds(address.handle), [issued[0]?.address.sessionId])
    })
  })

  describe('rewrite with a new id', () => {
    it('keeps times, place and profile, and the old id is gone', async () => {
      const { address } = await issue({ record: 'old', userInfo: 'kept', beganAt: await subject.moment() })
      await issue({ address: newAddress(address.handle) })
      const before = await knownOf(address.handle)
      const next = newAddress(address.handle)
      await subject.passed(2)
      assert.equal(await rename(address, next), 1)
      const [session, ...others] = before.sessions
      const renamed = { ...session, sessionId: next.sessionId, record: 'new' }
      assert.deepEqual(await knownOf(address.handle), { ...before, sessions: [renamed, ...others] })
      assert.equal(await subject.store.read(address), null)
      assert.equal((await subject.store.read(next))?.record, 'new')
    })

    it('leaves a record that has become another', async () => {
      const { address } = await issue({ record: 'changed' })
      assert.equal(await rename(address, newAddress(address.handle)), 0)
      assert.deepEqual(await listedIds(address.handle), [address.sessionId])
    })

    for (const [what, ending] of Object.entries(ends)) {
      it(`does not revive a session that ${what}`, async () => {
        const { address } = await issue({ record: 'old' })
        await ending(address)
        const next = newAddress(address.handle)
        assert.equal(await rename(address, next), 0)
        assert.equal(await subject.store.read(next), null)
      })
    }

    it('counts when it is sent again, and changes nothing then', async () => {
      const { address } = await issue({ record: 'old' })
      const next = newAddress(address.handle)
      assert.equal(await rename(address, next), 1)
      const before = await knownOf(address.handle)
      assert.equal(await rename(address, next), 1)
      assert.deepEqual(await knownOf(address.handle), before)
    })

    it('is done for one of many', async () => {
      const { address } = await issue({ record: 'old' })
      const nexts = Array.from({ length: 20 }, () => newAddress(address.handle))
      const counts = await Promise.all(nexts.map((next) => rename(address, next)))
      const won = nexts.filter((_, number) => counts[number] === 1)
      assert.equal(won.length, 1)
      assert.deepEqual(await listedIds(address.handle), [won[0]?.sessionId])
    })

    it('leaves a session that ends with its user and with all there are', async () => {
      const { address } = await issue({ record: 'old' })
      const next = newAddress(address.handle)
      await rename(address, next)
      assert.equal(await endAllSessions(subject.store), 1)
      assert.equal(await subject.store.read(next), null)
    })
  })
}
