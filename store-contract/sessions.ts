import assert from 'node:assert/strict'
import type { RuleBook } from './rule-book.js'
import { AWKWARD_LINES, HOUR, newAddress, newHandle, type StoreUnderTest } from './store-under-test.js'

export function sessionsRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { entry, issue, listedIds } = subject

  describe('a session', () => {
    it('is null before it is issued', async () => {
      assert.equal(await subject.store.read(newAddress()), null)
    })

    it('is read as it was issued', async () => {
      const login = entry()
      const issued = await subject.store.issue(login)
      assert.ok(issued.state === 'issued')
      const { createdAt, lastVisitAt, endsAt, ...rest } = issued
      assert.deepEqual(rest, { state: 'issued', seenBefore: false, userInfo: null })
      const visit = await subject.store.read(login.address)
      assert.deepEqual(visit, {
        sessionId: login.address.sessionId,
        record: login.record,
        createdAt,
        lastVisitAt,
        endsAt,
        readAt: visit?.readAt,
        userInfo: null,
      })
    })

    for (const [what, text] of Object.entries(AWKWARD_LINES)) {
      it(`keeps a record with ${what} byte for byte`, async () => {
        const { address } = await issue({ record: text })
        assert.equal((await subject.store.read(address))?.record, text)
        const { sessions } = await subject.store.readUser(address.handle)
        assert.deepEqual(
          sessions.map(({ record }) => record),
          [text],
        )
      })
    }

    for (const [what, differences] of Object.entries({
      'that ends at once': { sessionDurationMs: 0 },
      'that has ended': { sessionDurationMs: -HOUR },
      'whose absolute end has come': { loginDurationMs: 0 },
    })) {
      it(`${what} is issued, and reads as null`, async () => {
        const { address } = await issue(differences)
        assert.equal(await subject.store.read(address), null)
        assert.deepEqual(await listedIds(address.handle), [])
        assert.equal(await subject.store.revoke(address), false)
      })
    }

    it('is dropped when its end comes', async () => {
      const { address, endsAt } = await issue({ sessionDurationMs: 20 })
      await subject.reached(endsAt + 1)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
      assert.equal(await subject.store.revoke(address), false)
    })

    it('is dropped when its absolute end comes', async () => {
      const { address, endsAt } = await issue({ loginDurationMs: 20 })
      await subject.reached(endsAt + 1)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
    })

    it('is found at its whole address only', async () => {
      const { address, createdAt } = await issue()
      const elsewhere = { ...address, handle: newHandle() }
      assert.equal(await subject.store.read(elsewhere), null)
      assert.equal(await subject.store.read(newAddress(address.handle)), null)
      const window = { sessionDurationMs: HOUR, endsBy: createdAt + HOUR }
      assert.equal(await subject.store.touch(elsewhere, window), null)
      assert.equal(await subject.store.revoke(elsewhere), false)
      assert.notEqual(await subject.store.read(address), null)
    })
  })

  describe('revoke', () => {
    it('ends a session, once', async () => {
      const { address } = await issue()
      assert.equal(await subject.store.revoke(address), true)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
      assert.equal(await subject.store.revoke(address), false)
    })

    it('returns false where there never was a session', async () => {
      assert.equal(await subject.store.revoke(newAddress()), false)
    })

    it('leaves the other sessions of the user', async () => {
      const { address } = await issue()
      const other = await issue({ address: newAddress(address.handle) })
      await subject.store.revoke(address)
      assert.notEqual(await subject.store.read(other.address), null)
      assert.deepEqual(await listedIds(address.handle), [other.address.sessionId])
    })

    it('revokes no login that has begun', async () => {
      const { address } = await issue()
      const beganAt = await subject.moment()
      await subject.store.revoke(address)
      await issue({ address: newAddress(address.handle), beganAt })
    })
  })

  describe('ping', () => {
    it('resolves, also when asked again', async () => {
      assert.equal(await subject.store.ping(), undefined)
      assert.equal(await subject.store.ping(), undefined)
    })
  })
}
