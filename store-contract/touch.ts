import assert from 'node:assert/strict'
import type { SessionAddress } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { HOUR, type Login, newAddress, type StoreUnderTest } from './store-under-test.js'

export function touchRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { issue, listedIds } = subject

  /** Extends a session by an hour, to at most two hours after its login. */
  const touch = ({ address, createdAt }: Pick<Login, 'address' | 'createdAt'>, sessionDurationMs = HOUR) =>
    subject.store.touch(address, { sessionDurationMs, endsBy: createdAt + 2 * HOUR })

  async function read(address: SessionAddress) {
    return (await subject.store.read(address)) ?? assert.fail('the session is gone')
  }

  describe('touch', () => {
    it('records a visit in this moment, and returns it', async () => {
      const login = await issue()
      await subject.passed(2)
      const before = await subject.moment()
      const visit = (await touch(login)) ?? assert.fail('the session is gone')
      assert.ok(visit.lastVisitAt > login.lastVisitAt)
      assert.ok(visit.lastVisitAt >= Math.floor(before / 1000))
      assert.deepEqual(visit, { lastVisitAt: visit.lastVisitAt, endsAt: visit.lastVisitAt + HOUR })

      const { address, createdAt, record } = login
      const { readAt, ...found } = await read(address)
      assert.ok(readAt >= visit.lastVisitAt)
      assert.deepEqual(found, {
        sessionId: address.sessionId,
        record,
        createdAt,
        ...visit,
        userInfo: null,
      })
      const { sessions } = await subject.store.readUser(address.handle)
      assert.deepEqual(
        sessions.map(({ lastVisitAt, endsAt }) => ({ lastVisitAt, endsAt })),
        [visit],
      )
    })

    it('moves the end further off', async () => {
      let login = await issue()
      const durationMs = await subject.inTime(async (sessionDurationMs) => {
        login = await issue({ sessionDurationMs })
        return (await touch(login)) !== null
      })
      await subject.passed(durationMs)
      assert.ok((await read(login.address)).endsAt > login.endsAt)
      assert.deepEqual(await listedIds(login.address.handle), [login.address.sessionId])
    })

    it('moves the end nearer, too', async () => {
      const login = await issue()
      const visit = (await touch(login, HOUR / 2)) ?? assert.fail('the session is gone')
      assert.equal(visit.endsAt, visit.lastVisitAt + HOUR / 2)
      assert.equal((await read(login.address)).endsAt, visit.endsAt)
    })

    it('ends the session at once where no time is left', async () => {
      const login = await issue()
      const visit = (await touch(login, 0)) ?? assert.fail('the session is gone')
      assert.equal(visit.endsAt, visit.lastVisitAt)
      assert.equal(await subject.store.read(login.address), null)
      assert.deepEqual(await listedIds(login.address.handle), [])
      assert.equal(await touch(login), null)
    })

    it('does not move the end beyond the one that is named', async () => {
      const { address, createdAt } = await issue()
      const endsBy = createdAt + HOUR / 2
      const visit = await subject.store.touch(address, { sessionDurationMs: HOUR, endsBy })
      assert.equal(visit?.endsAt, endsBy)
      assert.equal((await read(address)).endsAt, endsBy)
    })

    it('ends the session where the end that is named has passed', async () => {
      const { address, createdAt } = await issue()
      const endsBy = createdAt - HOUR
      const visit = await subject.store.touch(address, { sessionDurationMs: HOUR, endsBy })
      assert.equal(visit?.endsAt, endsBy)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
    })

    it('leaves the latest of many visits', async () => {
      const login = await issue()
      const visits = await Promise.all(Array.from({ length: 20 }, () => touch(login)))
      const times = visits.map((visit) => visit?.lastVisitAt ?? assert.fail('the session is gone'))
      assert.equal((await read(login.address)).lastVisitAt, Math.max(...times))
    })

    it('keeps the record, the time of login and the profile', async () => {
      const record = '\0{"n":[]} \0'
      const login = await issue({ record, userInfo: 'kept', beganAt: await subject.moment() })
      await touch(login)
      await touch(login)
      const found = await read(login.address)
      assert.deepEqual([found.record, found.createdAt, found.userInfo], [record, login.createdAt, 'kept'])
    })

    it('creates no session where there is none', async () => {
      const address = newAddress()
      assert.equal(await touch({ address, createdAt: subject.now() }), null)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
    })

    it('does not revive a revoked session', async () => {
      const login = await issue()
      await subject.store.revoke(login.address)
      assert.equal(await touch(login), null)
      assert.equal(await subject.store.read(login.address), null)
      assert.deepEqual(await listedIds(login.address.handle), [])
    })

    it('does not revive the sessions of a user that all were ended', async () => {
      const login = await issue()
      await subject.store.revokeUser(login.address.handle)
      assert.equal(await touch(login), null)
      assert.equal(await subject.store.read(login.address), null)
    })

    it('does not revive a dropped session', async () => {
      const dropped = await issue({ sessionDurationMs: 0 })
      assert.equal(await touch(dropped), null)
      assert.equal(await subject.store.read(dropped.address), null)
      const late = await issue({ sessionDurationMs: 20 })
      await subject.reached(late.endsAt + 1)
      assert.equal(await touch(late), null)
      assert.equal(await subject.store.read(late.address), null)
    })

    it('loses against a revocation, whichever comes first', async () => {
      for (let round = 0; round < 25; round += 1) {
        const login = await issue()
        const [, revoked] = await Promise.all([
          touch(login),
          subject.store.revoke(login.address),
          touch(login),
        ])
        assert.equal(revoked, true)
        assert.equal(await subject.store.read(login.address), null)
      }
    })
  })
}
