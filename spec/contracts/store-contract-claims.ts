import assert from 'node:assert/strict'
import type { Claim } from 'weapp-session'
import { AWKWARD_TEXTS, HOUR, newClaimant, newId, type StoreUnderTest } from './store-under-test.js'

/** What only one may do, such as use a login code. */
export function claimsContract(subject: StoreUnderTest): void {
  const { describe, it } = subject

  const claim = (id: string, keepMs = HOUR, claimant = newClaimant()): Promise<Claim> =>
    subject.store.claim(id, claimant, keepMs)

  async function claimState(...asked: Parameters<typeof claim>): Promise<Claim['state']> {
    return (await claim(...asked)).state
  }

  describe('an id to claim', () => {
    it('is claimed once, and pending for everyone after', async () => {
      const id = newId()
      assert.equal(await claimState(id), 'claimed')
      assert.deepEqual(await claim(id), { state: 'pending' })
      assert.deepEqual(await claim(id), { state: 'pending' })
    })

    it('has exactly one winner among 50 claims at once', async () => {
      const id = newId()
      const states = await Promise.all(Array.from({ length: 50 }, () => claimState(id)))
      assert.equal(states.filter((state) => state === 'claimed').length, 1)
      assert.equal(states.filter((state) => state === 'pending').length, 49)
    })

    it('gives its answer to everyone once it is settled', async () => {
      const id = newId()
      await claim(id)
      await subject.store.settle(id, 'sealed', HOUR)
      assert.deepEqual(await claim(id), { state: 'settled', answer: 'sealed' })
      assert.deepEqual(await claim(id), { state: 'settled', answer: 'sealed' })
    })

    it('gives its answer to the claimant, too', async () => {
      const id = newId()
      await claim(id, HOUR, 'me')
      await subject.store.settle(id, 'sealed', HOUR)
      assert.deepEqual(await claim(id, HOUR, 'me'), { state: 'settled', answer: 'sealed' })
    })

    it('is settled even when the claim has been dropped meanwhile', async () => {
      const id = newId()
      await claim(id, 0)
      await subject.store.settle(id, 'sealed', HOUR)
      assert.deepEqual(await claim(id), { state: 'settled', answer: 'sealed' })
    })

    it('can be claimed again when it was given back', async () => {
      const id = newId()
      await claim(id, HOUR, 'me')
      await subject.store.release(id, 'me')
      assert.equal(await claimState(id), 'claimed')
      assert.equal(await claimState(id), 'pending')
    })

    it('is claimed again for the same claimant, whose question may have been sent twice', async () => {
      const id = newId()
      assert.equal(await claimState(id, HOUR, 'me'), 'claimed')
      assert.equal(await claimState(id, HOUR, 'me'), 'claimed')
      assert.equal(await claimState(id), 'pending')
    })

    it('is not given back by anybody else, nor once it is settled', async () => {
      const id = newId()
      await claim(id, HOUR, 'me')
      await subject.store.release(id, 'you')
      assert.equal(await claimState(id), 'pending')
      await subject.store.settle(id, 'sealed', HOUR)
      await subject.store.release(id, 'me')
      assert.deepEqual(await claim(id), { state: 'settled', answer: 'sealed' })
    })

    it('may be given back when nobody has claimed it', async () => {
      const id = newId()
      await subject.store.release(id, newClaimant())
      assert.equal(await claimState(id), 'claimed')
    })

    for (const keepMs of [0, -HOUR]) {
      it(`can be claimed again at once when it was claimed for ${keepMs} ms`, async () => {
        const id = newId()
        assert.equal(await claimState(id, keepMs), 'claimed')
        assert.equal(await claimState(id), 'claimed')
      })

      it(`can be claimed again at once when its answer is kept for ${keepMs} ms`, async () => {
        const id = newId()
        await subject.store.settle(id, 'sealed', keepMs)
        assert.equal(await claimState(id), 'claimed')
      })
    }

    it('can be claimed again when the end of the claim comes', async () => {
      const id = newId()
      await claim(id, 20)
      await subject.passed(20)
      assert.equal(await claimState(id), 'claimed')
    })

    it('can be claimed again when the end of the answer comes', async () => {
      const id = newId()
      await subject.store.settle(id, 'sealed', 20)
      await subject.passed(20)
      assert.equal(await claimState(id), 'claimed')
    })

    it('is not claimed for longer by those who come second', async () => {
      let id = newId()
      const keepMs = await subject.inTime(async (durationMs) => {
        id = newId()
        await claim(id, durationMs)
        return (await claimState(id)) === 'pending'
      })
      await subject.passed(keepMs)
      assert.equal(await claimState(id), 'claimed')
    })

    it('has nothing to do with other ids', async () => {
      const [one, other] = [newId(), newId()]
      await claim(one, HOUR, 'me')
      assert.equal(await claimState(other), 'claimed')
      await subject.store.release(one, 'me')
      assert.equal(await claimState(other), 'pending')
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`keeps an answer with ${what} byte for byte`, async () => {
        const id = newId()
        await subject.store.settle(id, text, HOUR)
        assert.deepEqual(await claim(id), { state: 'settled', answer: text })
      })
    }
  })
}
