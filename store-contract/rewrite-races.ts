import assert from 'node:assert/strict'
import type { SessionAddress, StoredVisit } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { HOUR, newAddress, newHandle, type StoreUnderTest } from './store-under-test.js'

const ROUNDS = 25

export function rewriteRacesRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { issue, listedIds } = subject

  const rewrite = ({ handle, sessionId }: SessionAddress, from: string, to: string) =>
    subject.store.rewrite(handle, [{ sessionId, from, to }])

  async function liveVisit(address: SessionAddress): Promise<StoredVisit> {
    return (await subject.store.read(address)) ?? assert.fail('the session is gone')
  }

  /** The records of a user, read again and again while something else happens. */
  async function readInTurn(handle: string): Promise<string[][]> {
    const users = []
    while (users.length < 10) users.push(await subject.store.readUser(handle))
    return users.map(({ sessions }) => sessions.map(({ record }) => record))
  }

  describe('many rewrites at once', () => {
    it('have one winner among 20 that read the same record', async () => {
      const { address } = await issue({ record: 'old' })
      const counts = await Promise.all(
        Array.from({ length: 20 }, (_, number) => rewrite(address, 'old', `new ${number}`)),
      )
      assert.deepEqual(counts.toSorted(), [...Array(19).fill(0), 1])
      assert.equal((await liveVisit(address)).record, `new ${counts.indexOf(1)}`)
    })

    it('show all records of a user new or all old, never some of each', async () => {
      const handle = newHandle()
      const addresses = [newAddress(handle), newAddress(handle), newAddress(handle)]
      for (const address of addresses) await issue({ address, record: '0' })
      for (let round = 0; round < ROUNDS; round += 1) {
        const [from, to] = [`${round}`, `${round + 1}`]
        const changes = addresses.map(({ sessionId }) => ({ sessionId, from, to }))
        const [replaced, seen] = await Promise.all([
          subject.store.rewrite(handle, changes),
          readInTurn(handle),
        ])
        assert.equal(replaced, changes.length)
        for (const records of seen) assert.equal(new Set(records).size, 1, records.join())
      }
    })

    it('do not hinder a touch, nor does a touch hinder them', async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { address, createdAt } = await issue({ record: 'old' })
        const window = { sessionDurationMs: HOUR, endsBy: createdAt + 2 * HOUR }
        const [first, replaced, second] = await Promise.all([
          subject.store.touch(address, window),
          rewrite(address, 'old', 'new'),
          subject.store.touch(address, window),
        ])
        const latest = Math.max(first?.lastVisitAt ?? Number.NaN, second?.lastVisitAt ?? Number.NaN)
        const { record, lastVisitAt } = await liveVisit(address)
        assert.deepEqual([replaced, record, lastVisitAt], [1, 'new', latest])
      }
    })

    it('lose against a revocation, whichever comes first', async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { address } = await issue({ record: 'old' })
        const [, revoked] = await Promise.all([
          rewrite(address, 'old', 'new'),
          subject.store.revoke(address),
          rewrite(address, 'new', 'newer'),
        ])
        assert.equal(revoked, true)
        assert.equal(await subject.store.read(address), null)
        assert.deepEqual(await listedIds(address.handle), [])
      }
    })
  })
}
