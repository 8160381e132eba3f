import assert from 'node:assert/strict'
import { AWKWARD_TEXTS, LONG_AGO, newAddress, newHandle, type StoreUnderTest } from './store-under-test.js'

/** read, issue and remove of one session, and ping. */
export function sessionsContract(subject: StoreUnderTest): void {
  const { describe, it, entry, issue, listedIds } = subject

  describe('a session', () => {
    it('is null before it is issued', async () => {
      assert.equal(await subject.store.read(newAddress()), null)
    })

    it('is read as it was issued', async () => {
      const login = entry()
      assert.deepEqual(await subject.store.issue(login), { issued: true, seenBefore: false, userInfo: null })
      assert.deepEqual(await subject.store.read(login.address), {
        sessionId: login.address.sessionId,
        record: login.record,
        lastVisitAt: login.createdAt,
        userInfo: null,
      })
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`keeps a record with ${what} byte for byte`, async () => {
        const { address } = await issue({ record: text })
        assert.equal((await subject.store.read(address))?.record, text)
        assert.deepEqual(
          (await subject.store.list(address.handle)).map(({ record }) => record),
          [text],
        )
      })
    }

    it('keeps its record through a touch', async () => {
      const { address, createdAt, dropAt } = await issue({ record: AWKWARD_TEXTS.NUL ?? '' })
      await subject.store.touch(address, createdAt + 5, dropAt)
      assert.equal((await subject.store.read(address))?.record, AWKWARD_TEXTS.NUL)
    })

    it('is accepted with an end that has passed, and reads as null', async () => {
      const login = entry({ dropAt: LONG_AGO })
      assert.equal((await subject.store.issue(login)).issued, true)
      assert.equal(await subject.store.read(login.address), null)
      assert.deepEqual(await listedIds(login.address.handle), [])
      assert.equal(await subject.store.remove(login.address), false)
    })

    it('is accepted with an absolute end that has passed as well', async () => {
      const login = entry({ createdAt: LONG_AGO - 2, dropAt: LONG_AGO - 1, expiresAt: LONG_AGO })
      assert.equal((await subject.store.issue(login)).issued, true)
      assert.equal(await subject.store.read(login.address), null)
      assert.deepEqual(await listedIds(login.address.handle), [])
    })

    it('is dropped when its end comes', async () => {
      const dropAt = subject.now() + 20
      const { address } = await issue({ dropAt })
      await subject.reached(dropAt + 1)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
      assert.equal(await subject.store.remove(address), false)
    })

    it('is found at its whole address only', async () => {
      const { address } = await issue()
      const elsewhere = { ...address, handle: newHandle() }
      assert.equal(await subject.store.read(elsewhere), null)
      assert.equal(await subject.store.read(newAddress(address.handle)), null)
      assert.equal(await subject.store.touch(elsewhere, subject.now(), subject.now() + 9), false)
      assert.equal(await subject.store.remove(elsewhere), false)
      assert.notEqual(await subject.store.read(address), null)
    })
  })

  describe('remove', () => {
    it('ends a session, once', async () => {
      const { address } = await issue()
      assert.equal(await subject.store.remove(address), true)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
      assert.equal(await subject.store.remove(address), false)
    })

    it('answers false where there never was a session', async () => {
      assert.equal(await subject.store.remove(newAddress()), false)
    })

    it('leaves the other sessions of the user', async () => {
      const { address } = await issue()
      const other = await issue({ address: newAddress(address.handle) })
      await subject.store.remove(address)
      assert.notEqual(await subject.store.read(other.address), null)
      assert.deepEqual(await listedIds(address.handle), [other.address.sessionId])
    })
  })

  describe('ping', () => {
    it('resolves, also when asked again', async () => {
      assert.equal(await subject.store.ping(), undefined)
      assert.equal(await subject.store.ping(), undefined)
    })
  })
}
