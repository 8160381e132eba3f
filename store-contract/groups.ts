import assert from 'node:assert/strict'
import type { SessionAddress } from 'weapp-session'
import type { RuleBook } from './rule-book.js'
import { endAllSessions, newAddress, newGroup, newHandle, type StoreUnderTest } from './store-under-test.js'

/** Enough for a store to need several calls. */
const USERS = 800
/** Next to one another in the alphabet, and with characters that patterns give a meaning. */
const NEIGHBOURS = ['-__-', '--__', '-__a', '____', 'a-__', '-__0']

export function groupsRules({ describe, it }: RuleBook, subject: StoreUnderTest): void {
  const { entry, issue, moment } = subject

  async function sessionOf(group: string): Promise<SessionAddress> {
    return (await issue({ address: newAddress(newHandle(group)) })).address
  }

  async function isThere(address: SessionAddress): Promise<boolean> {
    return (await subject.store.read(address)) !== null
  }

  /** What becomes of a login of a new user of a group that began at a time. */
  async function stateOf(group: string, beganAt: number): Promise<string> {
    return (await subject.store.issue(entry({ address: newAddress(newHandle(group)), beganAt }))).state
  }

  describe('the end of the users of an app', () => {
    it('leaves the sessions, profiles and logins of all other apps', async () => {
      const [ended, other] = [newGroup(), newGroup()]
      const handles = Array.from({ length: USERS }, (_, number) => newHandle(number % 2 ? ended : other))
      const addresses = handles.map((handle) => newAddress(handle))
      await Promise.all(addresses.map((address) => issue({ address, userInfo: 'kept' })))
      const beganAt = await moment()
      assert.equal(await endAllSessions(subject.store, { group: ended }), USERS / 2)
      const there = await Promise.all(addresses.map(isThere))
      assert.deepEqual(
        there,
        handles.map((_, number) => number % 2 === 0),
      )
      const users = await Promise.all(handles.map((handle) => subject.store.readUser(handle)))
      for (const { userInfo } of users) assert.equal(userInfo, 'kept')
      assert.deepEqual([await stateOf(ended, beganAt), await stateOf(other, beganAt)], ['revoked', 'issued'])
    })

    it('ends those whose handles begin with all of its characters, and nobody else', async () => {
      const [group = '', ...others] = NEIGHBOURS
      const beganAt = await moment()
      const [address, ...theirs] = await Promise.all(NEIGHBOURS.map(sessionOf))
      assert.equal(await endAllSessions(subject.store, { group }), 1)
      assert.equal(address && (await isThere(address)), false)
      for (const other of theirs) assert.equal(await isThere(other), true)
      assert.equal(await stateOf(group, beganAt), 'revoked')
      for (const other of others) assert.equal(await stateOf(other, beganAt), 'issued')
    })

    it('stands when other apps are ended after it, each with the time of its own end', async () => {
      const groups = Array.from({ length: 5 }, newGroup)
      const begun: number[] = [await moment()]
      for (const group of groups) {
        await endAllSessions(subject.store, { group })
        begun.push(await moment())
      }
      for (const [ended, group] of groups.entries()) {
        for (const [began, beganAt] of begun.entries()) {
          assert.equal(await stateOf(group, beganAt), began <= ended ? 'revoked' : 'issued')
        }
      }
    })

    it('stands when everybody is ended after it', async () => {
      const group = newGroup()
      const first = await moment()
      await endAllSessions(subject.store, { group })
      const second = await moment()
      await endAllSessions(subject.store)
      const third = await moment()
      for (const beganAt of [first, second]) assert.equal(await stateOf(group, beganAt), 'revoked')
      assert.equal(await stateOf(group, third), 'issued')
    })

    it('comes on top of the end of everybody', async () => {
      const [group, other] = [newGroup(), newGroup()]
      await endAllSessions(subject.store)
      const beganAt = await moment()
      const [ended, living] = [await sessionOf(group), await sessionOf(other)]
      assert.equal(await endAllSessions(subject.store, { group }), 1)
      assert.deepEqual([await isThere(ended), await isThere(living)], [false, true])
      assert.deepEqual([await stateOf(group, beganAt), await stateOf(other, beganAt)], ['revoked', 'issued'])
    })

    it('leaves nothing to count for the end of everybody, though nothing was cleared away', async () => {
      const [group, other] = [newGroup(), newGroup()]
      const addresses = await Promise.all(Array.from({ length: USERS }, () => sessionOf(group)))
      await sessionOf(other)
      const { revoked } = await subject.store.revokeBatch({ group })
      assert.equal(await endAllSessions(subject.store), 1)
      assert.ok(revoked <= addresses.length)
      assert.equal((await Promise.all(addresses.map(isThere))).some(Boolean), false)
    })

    it('does not move back the mark of a user, nor is it moved back by one', async () => {
      const group = newGroup()
      const handle = newHandle(group)
      const login = (beganAt: number) => subject.store.issue(entry({ address: newAddress(handle), beganAt }))
      const first = await moment()
      await subject.store.revokeUser(handle)
      const second = await moment()
      await endAllSessions(subject.store, { group })
      const third = await moment()
      await subject.store.revokeUser(handle)
      for (const beganAt of [first, second, third])
        assert.deepEqual(await login(beganAt), { state: 'revoked' })
      assert.equal((await login(await moment())).state, 'issued')
    })

    it('fails without a group and without null, and ends nobody', async () => {
      const address = await sessionOf(newGroup())
      for (const step of [{}, { group: undefined }] as unknown as { group: null }[])
        await assert.rejects(async () => subject.store.revokeBatch(step), TypeError)
      assert.equal(await isThere(address), true)
    })
  })

  describe('at the same time,', () => {
    it('the ends of many apps and of everybody leave no login that began before', async () => {
      const groups = Array.from({ length: 20 }, newGroup)
      const beganAt = await moment()
      await Promise.all([
        ...groups.map((group) => endAllSessions(subject.store, { group })),
        endAllSessions(subject.store),
        ...groups.map((group) => endAllSessions(subject.store, { group })),
      ])
      for (const group of groups) {
        assert.equal(await stateOf(group, beganAt), 'revoked')
        assert.equal(await stateOf(group, await moment()), 'issued')
      }
    })
  })
}
