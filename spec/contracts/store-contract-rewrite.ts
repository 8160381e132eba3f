import assert from 'node:assert/strict'
import type { RecordChange, SessionAddress, StoredVisit } from 'weapp-session'
import {
  AWKWARD_TEXTS,
  endAllSessions,
  HOUR,
  LONG_AGO,
  newAddress,
  newHandle,
  type StoreUnderTest,
} from './store-under-test.js'

const ROUNDS = 25

/** Records that are replaced while their sessions go on. */
export function rewriteContract(subject: StoreUnderTest): void {
  const { describe, it, issue, listedIds } = subject

  const rewrite = ({ handle, sessionId }: SessionAddress, from: string, to: string) =>
    subject.store.rewrite(handle, [{ sessionId, from, to }])

  async function liveVisit(address: SessionAddress): Promise<StoredVisit> {
    return (await subject.store.read(address)) ?? assert.fail('the session is gone')
  }

  /** Logins of one user a millisecond apart, oldest first, each with its record. */
  async function sessionsWith(...records: string[]): Promise<SessionAddress[]> {
    const [handle, start] = [newHandle(), subject.now() - 1_000]
    const addresses = records.map(() => newAddress(handle))
    for (const [number, address] of addresses.entries()) {
      await issue({ address, record: records[number] ?? '', createdAt: start + number })
    }
    return addresses
  }

  async function recordsOf(handle: string): Promise<string[]> {
    return (await subject.store.list(handle)).map(({ record }) => record)
  }

  /** The records of a user, read again and again while something else happens. */
  async function readInTurn(handle: string): Promise<string[][]> {
    const lists = []
    while (lists.length < 10) lists.push(await subject.store.list(handle))
    return lists.map((list) => list.map(({ record }) => record))
  }

  describe('rewrite', () => {
    it('replaces a record that is still as it was read', async () => {
      const { address } = await issue({ record: 'old' })
      assert.equal(await rewrite(address, 'old', 'new'), 1)
      assert.equal((await liveVisit(address)).record, 'new')
      assert.deepEqual(await recordsOf(address.handle), ['new'])
    })

    it('leaves a record that has become another', async () => {
      const { address } = await issue({ record: 'old' })
      await rewrite(address, 'old', 'new')
      assert.equal(await rewrite(address, 'old', 'late'), 0)
      assert.equal((await liveVisit(address)).record, 'new')
    })

    it('leaves a record that is almost as it was read', async () => {
      const { address } = await issue({ record: 'Réc 1' })
      for (const from of ['', 'R', 'Réc', 'éc 1', 'Réc 1 ', ' Réc 1', 'réc 1', 'Re\u0301c 1', 'Réc 1\0']) {
        assert.equal(await rewrite(address, from, 'new'), 0, JSON.stringify(from))
      }
      assert.equal((await liveVisit(address)).record, 'Réc 1')
    })

    it('tells an empty record from a session that is not there', async () => {
      const { address } = await issue({ record: '' })
      assert.equal(await rewrite(address, '', 'text'), 1)
      assert.equal(await rewrite(address, 'text', ''), 1)
      assert.equal((await liveVisit(address)).record, '')
      await subject.store.remove(address)
      assert.equal(await rewrite(address, '', 'text'), 0)
      assert.equal(await subject.store.read(address), null)
    })

    it('keeps the latest visit, and the profile', async () => {
      const { address, createdAt, dropAt } = await issue({ record: 'old', userInfo: 'kept' })
      await subject.store.touch(address, createdAt + 7, dropAt)
      await rewrite(address, 'old', 'new')
      assert.deepEqual(await subject.store.read(address), {
        sessionId: address.sessionId,
        record: 'new',
        lastVisitAt: createdAt + 7,
        userInfo: 'kept',
      })
    })

    it('keeps the end', async () => {
      const address = newAddress()
      const end = await subject.inTime(async (dropAt) => {
        await issue({ address, record: 'old', dropAt })
        return (await rewrite(address, 'old', 'new')) === 1
      })
      await subject.reached(end + 1)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
    })

    it('keeps the end that a touch has moved', async () => {
      const address = newAddress()
      const firstEnd = await subject.inTime(async (dropAt) => {
        const { createdAt, expiresAt } = await issue({ address, record: 'old', dropAt })
        return subject.store.touch(address, createdAt + 1, expiresAt)
      })
      await rewrite(address, 'old', 'new')
      await subject.reached(firstEnd + 1)
      assert.equal((await liveVisit(address)).record, 'new')
    })

    it('lets a later touch move the visit and the end', async () => {
      const [address, visitAt] = [newAddress(), subject.now() + HOUR]
      const firstEnd = await subject.inTime(async (dropAt) => {
        await issue({ address, record: 'old', dropAt, expiresAt: visitAt + HOUR })
        await rewrite(address, 'old', 'new')
        return subject.store.touch(address, visitAt, visitAt + HOUR)
      })
      await subject.reached(firstEnd + 1)
      const { record, lastVisitAt } = await liveVisit(address)
      assert.deepEqual([record, lastVisitAt], ['new', visitAt])
    })

    it('replaces several records, and they keep their places in the list', async () => {
      const addresses = await sessionsWith('a', 'b', 'c')
      const [{ handle } = newAddress()] = addresses
      const [first, second, third] = addresses.map(({ sessionId }) => sessionId)
      const changes = [
        { sessionId: third ?? '', from: 'c', to: 'C' },
        { sessionId: first ?? '', from: 'a', to: 'A' },
      ]
      assert.equal(await subject.store.rewrite(handle, changes), 2)
      assert.deepEqual(await listedIds(handle), [first, second, third])
      assert.deepEqual(await recordsOf(handle), ['A', 'b', 'C'])
    })

    it('passes over what has changed, has ended or never was, and does the others', async () => {
      const addresses = await sessionsWith('a', 'changed', 'ended', 'd')
      const [{ handle } = newAddress(), , ended = newAddress()] = addresses
      await subject.store.remove(ended)
      const read = ['a', 'b', 'ended', 'd', 'e']
      const changes = [...addresses, newAddress()].map(({ sessionId }, number): RecordChange => {
        return { sessionId, from: read[number] ?? '', to: 'new' }
      })
      assert.equal(await subject.store.rewrite(handle, changes), 2)
      assert.deepEqual(await recordsOf(handle), ['new', 'changed', 'new'])
      assert.equal(await subject.store.read(ended), null)
    })

    it('has nothing to do without changes', async () => {
      const { address } = await issue({ record: 'old' })
      assert.equal(await subject.store.rewrite(address.handle, []), 0)
      assert.equal((await liveVisit(address)).record, 'old')
    })

    const ends: Record<string, (address: SessionAddress) => Promise<unknown>> = {
      'was removed': (address) => subject.store.remove(address),
      'was ended with all of its user': ({ handle }) => subject.store.removeUser(handle),
      'was ended with all there are': () => endAllSessions(subject.store),
      'was replaced by a login': ({ handle, sessionId }) =>
        issue({ address: newAddress(handle), replaces: sessionId }),
      'has been dropped': async (address) =>
        subject.store.touch(address, (await liveVisit(address)).lastVisitAt + 1, LONG_AGO),
    }
    for (const [what, ending] of Object.entries(ends)) {
      it(`does not revive a session that ${what}`, async () => {
        const { address } = await issue({ record: 'old' })
        await ending(address)
        assert.equal(await rewrite(address, 'old', 'new'), 0)
        assert.equal(await subject.store.read(address), null)
        assert.equal((await listedIds(address.handle)).includes(address.sessionId), false)
      })
    }

    it('reaches the sessions of one user only', async () => {
      const [{ address }, other] = [await issue({ record: 'old' }), await issue({ record: 'old' })]
      assert.equal(await rewrite({ ...address, handle: other.address.handle }, 'old', 'new'), 0)
      await rewrite(address, 'old', 'new')
      assert.equal((await liveVisit(other.address)).record, 'old')
      assert.equal((await liveVisit(address)).record, 'new')
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`compares and keeps a record with ${what} byte for byte`, async () => {
        const { address } = await issue({ record: 'plain' })
        assert.equal(await rewrite(address, 'plain', text), 1)
        assert.equal((await liveVisit(address)).record, text)
        assert.equal(await rewrite(address, text, `again ${text}`), 1)
        assert.deepEqual(await recordsOf(address.handle), [`again ${text}`])
      })
    }
  })

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
      const addresses = await sessionsWith('0', '0', '0')
      const [{ handle } = newAddress()] = addresses
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
        const { address, createdAt, dropAt } = await issue({ record: 'old' })
        const results = await Promise.all([
          subject.store.touch(address, createdAt + 1, dropAt),
          rewrite(address, 'old', 'new'),
          subject.store.touch(address, createdAt + 2, dropAt),
        ])
        assert.deepEqual(results, [true, 1, true])
        const { record, lastVisitAt } = await liveVisit(address)
        assert.deepEqual([record, lastVisitAt], ['new', createdAt + 2])
      }
    })

    it('lose against a removal, whichever comes first', async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { address } = await issue({ record: 'old' })
        const [, removed] = await Promise.all([
          rewrite(address, 'old', 'new'),
          subject.store.remove(address),
          rewrite(address, 'new', 'newer'),
        ])
        assert.equal(removed, true)
        assert.equal(await subject.store.read(address), null)
        assert.deepEqual(await listedIds(address.handle), [])
      }
    })
  })
}
