import assert from 'node:assert/strict'
import type { StoredVisit } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { HOUR, newAddress, newId, type StoreUnderTest } from './store-under-test.js'

/** Wide enough for clocks that differ, narrow enough to recognize milliseconds. */
const CLOCK_TOLERANCE_MS = 600_000

export function momentsRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { issue, moment } = subject

  async function visitOf(address: { handle: string; sessionId: string }): Promise<StoredVisit> {
    return (await subject.store.read(address)) ?? assert.fail('the session is gone')
  }

  describe('the moment at which a shared value was written', () => {
    it('is later than that of the value before', async () => {
      let latest = await moment()
      for (let values = 0; values < 50; values += 1) {
        const next = await moment()
        assert.ok(next > latest, `${next} > ${latest}`)
        latest = next
      }
    })

    it('is a whole number of microseconds since 1970', async () => {
      const at = await moment()
      assert.ok(Number.isSafeInteger(at))
      assert.ok(Math.abs(at / 1000 - subject.now()) < CLOCK_TOLERANCE_MS)
    })

    it('is told to who writes it, to who reads it, and to who finds it in the way', async () => {
      const id = newId()
      const change = { id, from: null, to: 'text', keepMs: HOUR }
      const { value } = await subject.store.replaceValue(change)
      await moment()
      const found = [await subject.store.readValue(id), (await subject.store.replaceValue(change)).value]
      const writtenAt = value?.writtenAt ?? assert.fail('the value is not there')
      assert.deepEqual(
        found.map((each) => each?.writtenAt),
        [writtenAt, writtenAt],
      )
    })

    it('is another one for what replaces the value, even with the same text', async () => {
      const id = newId()
      const first = await subject.store.replaceValue({ id, from: null, to: 'text', keepMs: HOUR })
      const between = await moment()
      const second = await subject.store.replaceValue({ id, from: 'text', to: 'text' })
      assert.ok(Number(first.value?.writtenAt) < between)
      assert.ok(between < Number(second.value?.writtenAt))
      assert.equal((await subject.store.readValue(id))?.writtenAt, second.value?.writtenAt)
    })
  })

  describe('the times of a session', () => {
    it('are whole numbers of milliseconds since 1970', async () => {
      const { address, createdAt } = await issue()
      assert.ok(Math.abs(createdAt - subject.now()) < CLOCK_TOLERANCE_MS)
      const { lastVisitAt, endsAt, readAt } = await visitOf(address)
      for (const time of [createdAt, lastVisitAt, endsAt, readAt]) assert.ok(Number.isSafeInteger(time))
    })

    it('begin with the login', async () => {
      const beganAt = await moment()
      const { address, createdAt, lastVisitAt } = await issue({ beganAt })
      assert.equal(createdAt, Math.floor(beganAt / 1000))
      assert.ok(lastVisitAt >= createdAt)
      assert.equal((await visitOf(address)).createdAt, createdAt)
    })

    it('begin when it is issued if nobody says when the login began', async () => {
      const before = await moment()
      const { createdAt, lastVisitAt } = await issue()
      assert.equal(createdAt, lastVisitAt)
      assert.ok(createdAt >= Math.floor(before / 1000))
      assert.ok(createdAt * 1000 <= (await moment()))
    })

    it('have the issue as the first visit, however long ago the login began', async () => {
      const before = await moment()
      const { address, lastVisitAt } = await issue({ beganAt: before - 1_000_000 })
      assert.ok(lastVisitAt >= Math.floor(before / 1000))
      assert.equal((await visitOf(address)).lastVisitAt, lastVisitAt)
    })

    it('end with the idle end where that is first', async () => {
      const beganAt = await moment()
      const { address, lastVisitAt, endsAt } = await issue({
        beganAt,
        sessionDurationMs: HOUR,
        loginDurationMs: 2 * HOUR,
      })
      assert.equal(endsAt, lastVisitAt + HOUR)
      assert.equal((await visitOf(address)).endsAt, endsAt)
    })

    it('end with the absolute end, from the beginning of the login, where that is first', async () => {
      const beganAt = (await moment()) - (HOUR / 2) * 1000
      const { address, createdAt, endsAt } = await issue({
        beganAt,
        sessionDurationMs: HOUR,
        loginDurationMs: HOUR,
      })
      assert.equal(endsAt, createdAt + HOUR)
      assert.equal((await visitOf(address)).endsAt, endsAt)
    })

    it('are over when the login began longer ago than it may last', async () => {
      const beganAt = (await moment()) - 2 * HOUR * 1000
      const { address } = await issue({ beganAt, sessionDurationMs: HOUR, loginDurationMs: HOUR })
      assert.equal(await subject.store.read(address), null)
    })

    it('are told with the time at which they are read', async () => {
      const { address, createdAt, lastVisitAt } = await issue({ beganAt: await moment() })
      const before = await moment()
      const first = await visitOf(address)
      assert.ok(first.readAt >= createdAt && first.readAt >= lastVisitAt)
      assert.ok(first.readAt >= Math.floor(before / 1000))
      await subject.passed(2)
      const second = await visitOf(address)
      assert.ok(second.readAt > first.readAt)
      assert.deepEqual(second, { ...first, readAt: second.readAt })
    })

    it('are the same for who reads the session and who reads its user', async () => {
      const { address } = await issue()
      await issue({ address: newAddress(address.handle) })
      const { userInfo: _, ...session } = await visitOf(address)
      const { sessions } = await subject.store.readUser(address.handle)
      const [first = assert.fail('the user has no session')] = sessions
      assert.ok(first.readAt >= session.readAt)
      assert.deepEqual(first, { ...session, readAt: first.readAt })
      assert.equal(new Set(sessions.map(({ readAt }) => readAt)).size, 1)
    })
  })
}
