import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import {
  endAllSessions,
  HOUR,
  newAddress,
  newHandle,
  newId,
  storeUnderTest,
} from '../../store-contract/store-under-test.js'
import { type TestClock, testClock } from '../support/clock.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

const MINUTE = 60_000
/** How long it is remembered that a user was ended. */
const MARK_MS = 10 * MINUTE

describe('the keys of RedisStore', () => {
  const redis = aRedisClient()
  let prefix: string
  let clock: TestClock
  let store: RedisStore
  const { issue } = storeUnderTest(
    () => clock.now,
    () => store,
  )

  beforeEach(() => {
    prefix = freshPrefix()
    clock = testClock()
    store = new RedisStore(redis(), { prefix, clock })
  })

  async function keys(): Promise<string[]> {
    return (await redis().keys(`${prefix}*`)).map((key) => key.slice(prefix.length)).sort()
  }

  function userOf({ address }: { address: { handle: string } }): string {
    return `{${address.handle}}`
  }

  describe('are named as documented', () => {
    it('one for a user with many sessions and a profile', async () => {
      const login = await issue({ userInfo: '{}' })
      const { handle } = login.address
      await issue({ address: newAddress(handle) })
      await issue({ address: newAddress(handle) })
      await store.touch(login.address, { sessionDurationMs: HOUR, endsBy: login.endsAt })
      await store.revokeUser(handle, login.address.sessionId)
      expect(await keys()).to.deep.equal([`{${handle}}`])
    })

    it('one for each shared value', async () => {
      const id = newId()
      await store.replaceValue({ id, from: null, to: 'first', keepMs: HOUR })
      await store.replaceValue({ id, from: 'first', to: 'second' })
      expect(await keys()).to.deep.equal([`value:${id}`])
    })

    it('one that tells when everybody was ended, from then on', async () => {
      const login = await issue()
      await store.read(login.address)
      await store.ping()
      // What it wrote is gone in a moment.
      while ((await keys()).includes('all')) await redis().ping()
      expect(await keys()).to.deep.equal([userOf(login)])
      await endAllSessions(store)
      await store.ping()
      expect(await keys()).to.deep.equal(['all', userOf(login)])
      await endAllSessions(store, { group: login.address.handle.slice(0, 4) })
      await endAllSessions(store)
      expect(await keys()).to.deep.equal(['all', userOf(login)])
    })

    it('with weapp: in front unless told otherwise', async () => {
      const usual = new RedisStore(redis())
      const handle = newHandle()
      await usual.writeUserInfo(handle, 'kept', HOUR)
      expect(await redis().exists(`weapp:{${handle}}`)).to.equal(1)
      await redis().del(`weapp:{${handle}}`)
    })
  })

  it('of shared values stay when all sessions are ended, whatever their ids look like', async () => {
    const { address } = await issue()
    for (const id of ['id', `{${address.handle}}`, `{${address.handle}}:${address.sessionId}`]) {
      await store.replaceValue({ id, from: null, to: 'value', keepMs: HOUR })
    }
    const before = await keys()
    expect(before).to.have.lengthOf(4)
    const ofValues = before.filter((key) => key.startsWith('value')).map(inFull)
    const values = await redis().mget(ofValues)
    expect(await endAllSessions(store)).to.equal(1)
    expect(await keys()).to.deep.equal(['all', ...before].sort())
    expect(await redis().mget(ofValues)).to.deep.equal(values)
  })

  describe('hold nothing of a user of whom nothing is left', () => {
    /** A user whom nobody remembers after the last session. */
    const forgotten = { userInfoDurationMs: 0 }

    it('after the last session is revoked', async () => {
      const one = await issue(forgotten)
      const other = await issue({ ...forgotten, address: newAddress(one.address.handle) })
      await store.revoke(one.address)
      expect(await keys()).to.deep.equal([userOf(one)])
      await store.revoke(other.address)
      expect(await keys()).to.deep.equal([])
    })

    it('after a login that has ended at once', async () => {
      await issue({ ...forgotten, sessionDurationMs: 0 })
      expect(await keys()).to.deep.equal([])
    })

    it('after a login that began longer ago than it may last', async () => {
      const beganAt = (clock.now - 2 * HOUR) * 1000
      await issue({ ...forgotten, beganAt })
      expect(await keys()).to.deep.equal([])
    })

    it('after a touch that ends the session', async () => {
      const { address } = await issue(forgotten)
      await store.touch(address, { sessionDurationMs: HOUR, endsBy: clock.now })
      expect(await keys()).to.deep.equal([])
    })

    it('after the deletion of a profile that is not to be remembered', async () => {
      const { address } = await issue({ userInfo: '{}' })
      await store.revoke(address)
      await store.writeUserInfo(address.handle, null, 0)
      expect(await keys()).to.deep.equal([])
    })

    it('after the sessions of all were ended', async () => {
      await issue(forgotten)
      await issue(forgotten)
      await endAllSessions(store)
      expect(await keys()).to.deep.equal(['all'])
    })

    it('ten minutes after the user was ended, at the next change', async () => {
      const { address } = await issue(forgotten)
      await store.revokeUser(address.handle)
      expect(await keys()).to.deep.equal([`{${address.handle}}`])
      clock.advance(MARK_MS - MINUTE)
      await store.writeUserInfo(address.handle, null, 0)
      expect(await keys()).to.deep.equal([`{${address.handle}}`])
      clock.advance(MINUTE)
      await store.writeUserInfo(address.handle, null, 0)
      expect(await keys()).to.deep.equal([])
    })

    it('after a look at somebody who was never here', async () => {
      const address = newAddress()
      await store.read(address)
      await store.readUser(address.handle)
      await store.touch(address, { sessionDurationMs: HOUR, endsBy: clock.now + HOUR })
      await store.revoke(address)
      await store.rewrite(address.handle, [{ sessionId: address.sessionId, from: 'old', to: 'new' }])
      await store.readValue(newId())
      await store.replaceValue({ id: newId(), from: 'old', to: 'new' })
      expect(await keys()).to.deep.equal([])
    })
  })

  it('hold a session no longer than its end, once anything of the user changes', async () => {
    const { address } = await issue({ sessionDurationMs: 1_000 })
    const other = await issue({ address: newAddress(address.handle) })
    clock.advance(1_000)
    expect(await redis().get(inFull(userOf({ address })))).to.include(address.sessionId)
    await store.writeUserInfo(address.handle, '{}', HOUR)
    expect(await redis().get(inFull(userOf({ address })))).to.not.include(address.sessionId)
    expect(await store.read(other.address)).to.include({ userInfo: '{}' })
  })

  describe('end by themselves', () => {
    /** The clock of Redis goes on while the test runs; that of the store stands still. */
    async function expectEndIn(key: string, durationMs: number): Promise<void> {
      const left = await redis().pttl(inFull(key))
      expect(left, key).to.be.within(durationMs - HOUR / 2, durationMs)
    }

    it('each of them but the mark of all', async () => {
      const { address } = await issue({ userInfo: '{}' })
      await issue()
      const id = newId()
      await store.replaceValue({ id, from: null, to: 'value', keepMs: HOUR })
      await store.revokeUser(newHandle())
      await store.touch(address, { sessionDurationMs: HOUR, endsBy: clock.now + HOUR })
      await endAllSessions(store)
      const [all, ...others] = await keys()
      expect(all).to.equal('all')
      expect(await redis().pttl(inFull('all'))).to.equal(-1)
      expect(others).to.have.lengthOf(4)
      for (const key of others) expect(await redis().pttl(inFull(key)), key).to.be.above(0)
    })

    it('a user with the profile, if that is kept longest', async () => {
      const login = await issue({ userInfoDurationMs: 5 * HOUR })
      await expectEndIn(userOf(login), 5 * HOUR)
      await store.writeUserInfo(login.address.handle, '{}', 7 * HOUR)
      await expectEndIn(userOf(login), 7 * HOUR)
      await store.writeUserInfo(login.address.handle, null, 3 * HOUR)
      await expectEndIn(userOf(login), 3 * HOUR)
      await issue({ address: newAddress(login.address.handle), userInfoDurationMs: 9 * HOUR })
      await expectEndIn(userOf(login), 9 * HOUR)
    })

    it('a user with the session that ends last, if that lives longest', async () => {
      const long = { sessionDurationMs: 5 * HOUR, loginDurationMs: 9 * HOUR }
      const login = await issue({ ...long, userInfoDurationMs: 0 })
      const { handle } = login.address
      await expectEndIn(userOf(login), 5 * HOUR)
      const other = await issue({ address: newAddress(handle), userInfoDurationMs: 0 })
      await expectEndIn(userOf(login), 5 * HOUR)
      await store.touch(login.address, { sessionDurationMs: 7 * HOUR, endsBy: clock.now + 9 * HOUR })
      await expectEndIn(userOf(login), 7 * HOUR)
      await store.touch(login.address, { sessionDurationMs: 20 * HOUR, endsBy: clock.now + 9 * HOUR })
      await expectEndIn(userOf(login), 9 * HOUR)
      await store.revoke(login.address)
      await expectEndIn(userOf(login), HOUR)
      await store.rewrite(handle, [{ sessionId: other.address.sessionId, from: other.record, to: 'new' }])
      await expectEndIn(userOf(login), HOUR)
    })

    it('a user with the mark, ten minutes after it was set, if nothing else is left', async () => {
      const handle = newHandle()
      await store.revokeUser(handle)
      const left = await redis().pttl(inFull(`{${handle}}`))
      expect(left).to.be.within(MARK_MS / 2, MARK_MS)
      const login = await issue({ address: newAddress(handle), userInfoDurationMs: 0, sessionDurationMs: 1 })
      expect(await redis().pttl(inFull(userOf(login)))).to.be.within(MARK_MS / 2, MARK_MS)
    })

    it('a user with the session that is spared when the others end', async () => {
      const login = await issue({ sessionDurationMs: 5 * HOUR, loginDurationMs: 5 * HOUR })
      const { handle, sessionId } = login.address
      await issue({ address: newAddress(handle), sessionDurationMs: 9 * HOUR, loginDurationMs: 9 * HOUR })
      await expectEndIn(userOf(login), 9 * HOUR)
      await store.revokeUser(handle, sessionId)
      await expectEndIn(userOf(login), 5 * HOUR)
    })

    it('a shared value where the last to replace it says, or as the one before', async () => {
      const id = newId()
      await store.replaceValue({ id, from: null, to: 'first', keepMs: 3 * HOUR })
      await store.replaceValue({ id, from: null, to: 'second', keepMs: 9 * HOUR })
      await expectEndIn(`value:${id}`, 3 * HOUR)
      await store.replaceValue({ id, from: 'first', to: 'second', keepMs: 5 * HOUR })
      await expectEndIn(`value:${id}`, 5 * HOUR)
      clock.advance(HOUR)
      await store.replaceValue({ id, from: 'second', to: 'third' })
      await expectEndIn(`value:${id}`, 4 * HOUR)
    })
  })

  function inFull(key: string): string {
    return prefix + key
  }
})
