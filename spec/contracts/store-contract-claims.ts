import assert from 'node:assert/strict'
import { AWKWARD_TEXTS, HOUR, LONG_AGO, newClaimant, newId, type StoreUnderTest } from './store-under-test.js'

/** What only one may do, such as use a login code. */
export function claimsContract(subject: StoreUnderTest): void {
  const { describe, it } = subject
  const claim = (id: string, dropAt = subject.now() + HOUR, claimant = newClaimant()) =>
    subject.store.claim(id, claimant, dropAt)

  describe('an id to claim', () => {
    it('is claimed once, and pending for everyone after', async () => {
      const id = newId()
      assert.deepEqual(await claim(id), { state: 'claimed' })
      assert.deepEqual(await claim(id), { state: 'pending' })
      assert.deepEqual(await claim(id), { state: 'pending' })
    })

    it('has exactly one winner among 50 claims at once', async () => {
      const id = newId()
      const claims = await Promise.all(Array.from({ length: 50 }, () => claim(id)))
      assert.equal(claims.filter(({ state }) => state === 'claimed').length, 1)
      assert.equal(claims.filter(({ state }) => state === 'pending').length, 49)
    })

    it('gives its answer to everyone once it is settled', async () => {
      const id = newId()
      await claim(id)
      await subject.store.settle(id, 'sealed', subject.now() + HOUR)
      assert.deepEqual(await claim(id), { state: 'settled', answer: 'sealed' })
      assert.deepEqual(await claim(id), { state: 'settled', answer: 'sealed' })
    })

    it('is settled even when the claim has been dropped meanwhile', async () => {
      const id = newId()
      await claim(id, LONG_AGO)
      await subject.store.settle(id, 'sealed', subject.now() + HOUR)
      assert.deepEqual(await claim(id), { state: 'settled', answer: 'sealed' })
    })

    it('can be claimed again when it was given back', async () => {
      const id = newId()
      await claim(id, subject.now() + HOUR, 'me')
      await subject.store.release(id, 'me')
      assert.deepEqual(await claim(id), { state: 'claimed' })
      assert.deepEqual(await claim(id), { state: 'pending' })
    })

    it('is claimed again for the same claimant, whose question may have been sent twice', async () => {
      const id = newId()
      assert.deepEqual(await claim(id, subject.now() + HOUR, 'me'), { state: 'claimed' })
      assert.deepEqual(await claim(id, subject.now() + HOUR, 'me'), { state: 'claimed' })
      assert.deepEqual(await claim(id), { state: 'pending' })
    })

    it('is not given back by anybody else, nor once it is settled', async () => {
      const id = newId()
      await claim(id, subject.now() + HOUR, 'me')
      await subject.store.release(id, 'you')
      assert.deepEqual(await claim(id), { state: 'pending' })
      await subject.store.settle(id, 'sealed', subject.now() + HOUR)
      await subject.store.release(id, 'me')
      assert.deepEqual(await claim(id), { state: 'settled', answer: 'sealed' })
    })

    it('may be given back when nobody has claimed it', async () => {
      const id = newId()
      await subject.store.release(id, newClaimant())
      assert.deepEqual(await claim(id), { state: 'claimed' })
    })

    it('can be claimed again when the end of the claim has passed', async () => {
      const id = newId()
      assert.deepEqual(await claim(id, LONG_AGO), { state: 'claimed' })
      assert.deepEqual(await claim(id), { state: 'claimed' })
    })

    it('can be claimed again when the end of the answer has passed', async () => {
      const id = newId()
      await subject.store.settle(id, 'sealed', LONG_AGO)
      assert.deepEqual(await claim(id), { state: 'claimed' })
    })

    it('can be claimed again when the end of the claim comes', async () => {
      const id = newId()
      const end = subject.now() + 20
      await claim(id, end)
      await subject.reached(end + 1)
      assert.deepEqual(await claim(id), { state: 'claimed' })
    })

    it('is not claimed for longer by those who come second', async () => {
      const id = newId()
      const end = subject.now() + 20
      await claim(id, end)
      await claim(id, end + HOUR)
      await subject.reached(end + 1)
      assert.deepEqual(await claim(id), { state: 'claimed' })
    })

    it('has nothing to do with other ids', async () => {
      const [one, other] = [newId(), newId()]
      await claim(one, subject.now() + HOUR, 'me')
      assert.deepEqual(await claim(other), { state: 'claimed' })
      await subject.store.release(one, 'me')
      assert.deepEqual(await claim(other), { state: 'pending' })
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`keeps an answer with ${what} byte for byte`, async () => {
        const id = newId()
        await subject.store.settle(id, text, subject.now() + HOUR)
        assert.deepEqual(await claim(id), { state: 'settled', answer: text })
      })
    }
  })
}
