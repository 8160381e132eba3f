import assert from 'node:assert/strict'
import type { RecordChange, SessionAddress, StoredVisit } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import {
  AWKWARD_LINES,
  endAllSessions,
  HOUR,
  newAddress,
  newHandle,
  type StoreUnderTest,
} from './store-under-test.js'

export function rewriteRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { issue, listedIds } = subject

  const rewrite = ({ handle, sessionId }: SessionAddress, from: string, to: string) =>
    subject.store.rewrite(handle, [{ sessionId, from, to }])

  async function liveVisit(address: SessionAddress): Promise<StoredVisit> {
    return (await subject.store.read(address)) ?? assert.fail('the session is gone')
  }

  /** Logins of one user, one after the other, each with its record. */
  async function sessionsWith(...records: string[]): Promise<SessionAddress[]> {
    const handle = newHandle()
    const addresses = []
    for (const record of records)
      addresses.push((await issue({ address: newAddress(handle), record })).address)
    return addresses
  }

  const touch = (address: SessionAddress, sessionDurationMs: number) =>
    subject.store.touch(address, { sessionDurationMs, endsBy: subject.now() + 2 * HOUR })

  async function recordsOf(handle: string): Promise<string[]> {
    const { sessions } = await subject.store.readUser(handle)
    return sessions.map(({ record }) => record)
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
      await subject.store.revoke(address)
      assert.equal(await rewrite(address, '', 'text'), 0)
      assert.equal(await subject.store.read(address), null)
    })

    it('keeps the latest visit, both ends, the time of login and the profile', async () => {
      const { address } = await issue({ record: 'old', userInfo: 'kept', beganAt: await subject.moment() })
      await subject.passed(2)
      await touch(address, HOUR / 2)
      const before = await liveVisit(address)
      await subject.passed(2)
      await rewrite(address, 'old', 'new')
      const { readAt, ...after } = await liveVisit(address)
      const { readAt: _, ...expected } = { ...before, record: 'new' }
      assert.deepEqual(after, expected)
    })

    it('keeps the end', async () => {
      let address = newAddress()
      const durationMs = await subject.inTime(async (sessionDurationMs) => {
        const login = await issue({ record: 'old', sessionDurationMs })
        address = login.address
        return (await rewrite(address, 'old', 'new')) === 1
      })
      await subject.passed(durationMs)
      assert.equal(await subject.store.read(address), null)
      assert.deepEqual(await listedIds(address.handle), [])
    })

    it('keeps the end that a touch has moved', async () => {
      let address = newAddress()
      const durationMs = await subject.inTime(async (sessionDurationMs) => {
        const login = await issue({ record: 'old', sessionDurationMs })
        address = login.address
        return (await touch(address, HOUR)) !== null
      })
      await rewrite(address, 'old', 'new')
      await subject.passed(durationMs)
      assert.equal((await liveVisit(address)).record, 'new')
    })

    it('lets a later touch move the visit and the end', async () => {
      let address = newAddress()
      const durationMs = await subject.inTime(async (sessionDurationMs) => {
        const login = await issue({ record: 'old', sessionDurationMs })
        address = login.address
        await rewrite(address, 'old', 'new')
        return (await touch(address, HOUR)) !== null
      })
      await subject.passed(durationMs)
      const visit = await touch(address, HOUR)
      const { record, lastVisitAt, endsAt } = await liveVisit(address)
      assert.deepEqual({ record, lastVisitAt, endsAt }, { record: 'new', ...visit })
    })

    it('replaces several records, and they keep their places', async () => {
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
      await subject.store.revoke(ended)
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
      'was revoked': (address) => subject.store.revoke(address),
      'was ended with all of its user': ({ handle }) => subject.store.revokeUser(handle),
      'was ended with all there are': () => endAllSessions(subject.store),
      'was replaced by a login': ({ handle, sessionId }) =>
        issue({ address: newAddress(handle), replaces: sessionId }),
      'has been dropped': (address) => touch(address, 0),
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

    for (const [what, text] of Object.entries(AWKWARD_LINES)) {
      it(`compares and keeps a record with ${what} byte for byte`, async () => {
        const { address } = await issue({ record: 'plain' })
        assert.equal(await rewrite(address, 'plain', text), 1)
        assert.equal((await liveVisit(address)).record, text)
        assert.equal(await rewrite(address, text, `again ${text}`), 1)
        assert.deepEqual(await recordsOf(address.handle), [`again ${text}`])
      })
    }
  })
}
