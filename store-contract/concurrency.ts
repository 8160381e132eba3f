import assert from 'node:assert/strict'
import type { RuleBook } from './rule-book.js'
import { newAddress, newHandle, type StoreUnderTest } from './store-under-test.js'

const CAP = 7

export function concurrencyRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { entry, issue, listedIds } = subject

  async function aliveIds(addresses: ReturnType<typeof newAddress>[]): Promise<string[]> {
    const visits = await Promise.all(addresses.map((address) => subject.store.read(address)))
    return visits.flatMap((visit) => visit?.sessionId ?? [])
  }

  describe('at the same time,', () => {
    it('100 logins of one user leave exactly the cap, and what is read of the user agrees', async () => {
      const handle = newHandle()
      const addresses = Array.from({ length: 100 }, () => newAddress(handle))
      await Promise.all(addresses.map((address) => issue({ address, maxSessions: CAP })))
      const alive = await aliveIds(addresses)
      assert.equal(alive.length, CAP)
      assert.deepEqual(new Set(await listedIds(handle)), new Set(alive))
    })

    it('100 logins of one user that may be refused are let in up to the cap', async () => {
      const handle = newHandle()
      const logins = Array.from({ length: 100 }, () =>
        entry({ address: newAddress(handle), maxSessions: CAP, onLimit: 'refuse' }),
      )
      const results = await Promise.all(logins.map((login) => subject.store.issue(login)))
      const accepted = logins.filter((_, number) => results[number]?.state === 'issued')
      assert.equal(accepted.length, CAP)
      assert.equal(results.filter(({ state }) => state === 'refused').length, 100 - CAP)
      const ids = accepted.map(({ address }) => address.sessionId)
      assert.deepEqual(new Set(await listedIds(handle)), new Set(ids))
      assert.deepEqual(new Set(await aliveIds(logins.map(({ address }) => address))), new Set(ids))
    })

    it('20 revocations of one session find it once', async () => {
      const { address } = await issue()
      const revocations = await Promise.all(Array.from({ length: 20 }, () => subject.store.revoke(address)))
      assert.equal(revocations.filter(Boolean).length, 1)
    })

    it('revocations of a user count each session once', async () => {
      const handle = newHandle()
      await Promise.all(Array.from({ length: CAP }, () => issue({ address: newAddress(handle) })))
      const counts = await Promise.all(Array.from({ length: 5 }, () => subject.store.revokeUser(handle)))
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        CAP,
      )
    })

    it('logins that replace the same session end it and stay themselves', async () => {
      const { address } = await issue()
      const logins = await Promise.all(
        Array.from({ length: 5 }, () =>
          issue({ address: newAddress(address.handle), replaces: address.sessionId }),
        ),
      )
      const ids = logins.map((login) => login.address.sessionId)
      assert.deepEqual(new Set(await listedIds(address.handle)), new Set(ids))
      assert.equal(await subject.store.read(address), null)
    })

    it('logins and revocations of a user leave what is read of the user and of each session in agreement', async () => {
      const handle = newHandle()
      const addresses = Array.from({ length: 60 }, () => newAddress(handle))
      await Promise.all(
        addresses.map(async (address, number) => {
          await issue({ address, maxSessions: CAP })
          if (number % 3 === 0) await subject.store.revoke(address)
          if (number % 20 === 19) await subject.store.revokeUser(handle, address.sessionId)
        }),
      )
      assert.deepEqual(new Set(await listedIds(handle)), new Set(await aliveIds(addresses)))
    })

    it('logins that began before the revocation of their user are revoked or ended by it', async () => {
      const handle = newHandle()
      const beganAt = await subject.moment()
      const logins = Array.from({ length: 20 }, () => entry({ address: newAddress(handle), beganAt }))
      const [results, ended] = await Promise.all([
        Promise.all(logins.map((login) => subject.store.issue(login))),
        subject.store.revokeUser(handle),
      ])
      const issued = results.filter(({ state }) => state === 'issued')
      const revoked = results.filter(({ state }) => state === 'revoked')
      assert.equal(issued.length + revoked.length, logins.length)
      assert.deepEqual(await listedIds(handle), [])
      assert.ok(ended <= issued.length)
    })
  })
}
