import assert from 'node:assert/strict'
import { HOUR, LONG_AGO, newAddress, type StoreUnderTest } from './store-under-test.js'

/** What a touch does, and what it must never do. */
export function touchContract(subject: StoreUnderTest): void {
  const { describe, it, issue, listedIds } = subject

  describe('touch', () => {
    it('records the visit and answers that the session is there', async () => {
      const { address, createdAt, dropAt } = await issue()
      assert.equal(await subject.store.touch(address, createdAt + 7, dropAt), true)
      assert.equal((await subject.store.read(address))?.lastVisitAt, createdAt + 7)
      assert.equal((await subject.store.list(address.handle))[0]?.lastVisitAt, createdAt + 7)
    })

    it('moves the end further off', async () => {
      const address = newAddress()
      const firstEnd = await subject.inTime(async (dropAt) => {
        const { createdAt, expiresAt } = await issue({ address, dropAt })
        return subject.store.touch(address, createdAt + 1, expiresAt)
      })
      await subject.reached(firstEnd + 1)
      assert.notEqual(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [address.sessionId])
    })

    it('moves the end nearer, too', async () => {
      const { address, createdAt } = await issue()
      assert.equal(await subject.store.touch(address, createdAt + 1, LONG_AGO), true)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
    })

    it('changes nothing with a visit earlier than the recorded one', async () => {
      const { address, createdAt, dropAt } = await issue()
      await subject.store.touch(address, createdAt + 100, dropAt)
      assert.equal(await subject.store.touch(address, createdAt + 99, LONG_AGO), true)
      assert.equal((await subject.store.read(address))?.lastVisitAt, createdAt + 100)
    })

    it('takes the latest of many visits, in whatever order they arrive', async () => {
      const { address, createdAt, dropAt } = await issue()
      const visits = Array.from({ length: 20 }, (_, number) => createdAt + ((number * 7) % 20))
      const answers = await Promise.all(
        visits.map((visit) => subject.store.touch(address, visit, dropAt + visit - createdAt)),
      )
      assert.deepEqual(new Set(answers), new Set([true]))
      assert.equal((await subject.store.read(address))?.lastVisitAt, createdAt + 19)
    })

    it('creates no session where there is none', async () => {
      const address = newAddress()
      assert.equal(await subject.store.touch(address, subject.now(), subject.now() + HOUR), false)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
    })

    it('does not revive a removed session', async () => {
      const { address, createdAt, dropAt } = await issue()
      await subject.store.remove(address)
      assert.equal(await subject.store.touch(address, createdAt + 1, dropAt), false)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
    })

    it('does not revive the sessions of a user that all were ended', async () => {
      const { address, createdAt, dropAt } = await issue()
      await subject.store.removeUser(address.handle)
      assert.equal(await subject.store.touch(address, createdAt + 1, dropAt), false)
      assert.equal(await subject.store.read(address), null)
    })

    it('does not revive a dropped session', async () => {
      const { address, createdAt } = await issue({ dropAt: LONG_AGO })
      assert.equal(await subject.store.touch(address, createdAt + 1, createdAt + HOUR), false)
      assert.equal(await subject.store.read(address), null)
    })

    it('loses against a removal, whichever comes first', async () => {
      for (let round = 0; round < 25; round += 1) {
        const { address, createdAt, dropAt } = await issue()
        const [, removed] = await Promise.all([
          subject.store.touch(address, createdAt + 1, dropAt),
          subject.store.remove(address),
          subject.store.touch(address, createdAt + 2, dropAt),
        ])
        assert.equal(removed, true)
        assert.equal(await subject.store.read(address), null)
      }
    })
  })
}
