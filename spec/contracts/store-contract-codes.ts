import assert from 'node:assert/strict'
import {
  AWKWARD_TEXTS,
  HOUR,
  LONG_AGO,
  newClaimant,
  newCodeId,
  type StoreUnderTest,
} from './store-under-test.js'

/** Login codes, which are used once. */
export function codesContract(subject: StoreUnderTest): void {
  const { describe, it } = subject
  const claim = (codeId: string, dropAt = subject.now() + HOUR, claimant = newClaimant()) =>
    subject.store.claimCode(codeId, claimant, dropAt)

  describe('a login code', () => {
    it('is claimed once, and pending for everyone after', async () => {
      const codeId = newCodeId()
      assert.deepEqual(await claim(codeId), { state: 'claimed' })
      assert.deepEqual(await claim(codeId), { state: 'pending' })
      assert.deepEqual(await claim(codeId), { state: 'pending' })
    })

    it('has exactly one winner among 50 claims at once', async () => {
      const codeId = newCodeId()
      const claims = await Promise.all(Array.from({ length: 50 }, () => claim(codeId)))
      assert.equal(claims.filter(({ state }) => state === 'claimed').length, 1)
      assert.equal(claims.filter(({ state }) => state === 'pending').length, 49)
    })

    it('gives its answer to everyone once it is settled', async () => {
      const codeId = newCodeId()
      await claim(codeId)
      await subject.store.settleCode(codeId, 'sealed', subject.now() + HOUR)
      assert.deepEqual(await claim(codeId), { state: 'settled', answer: 'sealed' })
      assert.deepEqual(await claim(codeId), { state: 'settled', answer: 'sealed' })
    })

    it('is settled even when the claim has been dropped meanwhile', async () => {
      const codeId = newCodeId()
      await claim(codeId, LONG_AGO)
      await subject.store.settleCode(codeId, 'sealed', subject.now() + HOUR)
      assert.deepEqual(await claim(codeId), { state: 'settled', answer: 'sealed' })
    })

    it('can be claimed again when it was given back', async () => {
      const codeId = newCodeId()
      await claim(codeId, subject.now() + HOUR, 'me')
      await subject.store.releaseCode(codeId, 'me')
      assert.deepEqual(await claim(codeId), { state: 'claimed' })
      assert.deepEqual(await claim(codeId), { state: 'pending' })
    })

    it('is claimed again for the same claimant, whose question may have been sent twice', async () => {
      const codeId = newCodeId()
      assert.deepEqual(await claim(codeId, subject.now() + HOUR, 'me'), { state: 'claimed' })
      assert.deepEqual(await claim(codeId, subject.now() + HOUR, 'me'), { state: 'claimed' })
      assert.deepEqual(await claim(codeId), { state: 'pending' })
    })

    it('is not given back by anybody else, nor once it is settled', async () => {
      const codeId = newCodeId()
      await claim(codeId, subject.now() + HOUR, 'me')
      await subject.store.releaseCode(codeId, 'you')
      assert.deepEqual(await claim(codeId), { state: 'pending' })
      await subject.store.settleCode(codeId, 'sealed', subject.now() + HOUR)
      await subject.store.releaseCode(codeId, 'me')
      assert.deepEqual(await claim(codeId), { state: 'settled', answer: 'sealed' })
    })

    it('may be given back when nobody has claimed it', async () => {
      const codeId = newCodeId()
      await subject.store.releaseCode(codeId, newClaimant())
      assert.deepEqual(await claim(codeId), { state: 'claimed' })
    })

    it('can be claimed again when the end of the claim has passed', async () => {
      const codeId = newCodeId()
      assert.deepEqual(await claim(codeId, LONG_AGO), { state: 'claimed' })
      assert.deepEqual(await claim(codeId), { state: 'claimed' })
    })

    it('can be claimed again when the end of the answer has passed', async () => {
      const codeId = newCodeId()
      await subject.store.settleCode(codeId, 'sealed', LONG_AGO)
      assert.deepEqual(await claim(codeId), { state: 'claimed' })
    })

    it('can be claimed again when the end of the claim comes', async () => {
      const codeId = newCodeId()
      const end = subject.now() + 20
      await claim(codeId, end)
      await subject.reached(end + 1)
      assert.deepEqual(await claim(codeId), { state: 'claimed' })
    })

    it('is not claimed for longer by those who come second', async () => {
      const codeId = newCodeId()
      const end = subject.now() + 20
      await claim(codeId, end)
      await claim(codeId, end + HOUR)
      await subject.reached(end + 1)
      assert.deepEqual(await claim(codeId), { state: 'claimed' })
    })

    it('has nothing to do with other codes', async () => {
      const [one, other] = [newCodeId(), newCodeId()]
      await claim(one, subject.now() + HOUR, 'me')
      assert.deepEqual(await claim(other), { state: 'claimed' })
      await subject.store.releaseCode(one, 'me')
      assert.deepEqual(await claim(other), { state: 'pending' })
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`keeps an answer with ${what} byte for byte`, async () => {
        const codeId = newCodeId()
        await subject.store.settleCode(codeId, text, subject.now() + HOUR)
        assert.deepEqual(await claim(codeId), { state: 'settled', answer: text })
      })
    }
  })
}
