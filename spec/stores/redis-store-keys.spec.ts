import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { RedisStore, type SessionEntry } from '../../lib/index.js'
import {
  endAllSessions,
  HOUR,
  LONG_AGO,
  newAddress,
  newClaimant,
  newId,
  storeUnderTest,
} from '../contracts/store-under-test.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

const runner = { describe, it, beforeEach, afterEach }

describe('the keys of RedisStore', () => {
  const redis = aRedisClient()
  let prefix: string
  let store: RedisStore
  const { issue } = storeUnderTest(runner, Date.now, () => store)

  beforeEach(() => {
    prefix = freshPrefix()
    store = new RedisStore(redis(), { prefix })
  })

  async function keys(): Promise<string[]> {
    return (await redis().keys(`${prefix}*`)).map((key) => key.slice(prefix.length)).sort()
  }

  /** The moment at which a key ends, as far as can be known from two clocks that are read one after the other. */
  async function end(key: string): Promise<{ earliest: number; latest: number }> {
    const earliest = Date.now()
    const ttl = await redis().pttl(prefix + key)
    if (ttl < 0) expect.fail(ttl === -1 ? `${key} never ends` : `${key} is not there`)
    return { earliest: earliest + ttl, latest: Date.now() + ttl }
  }

  async function expectEnd(key: string, moment: number): Promise<void> {
    const { earliest, latest } = await end(key)
    expect(moment).to.be.within(earliest, latest)
  }

  it('are named as documented, the record after its session id', async () => {
    const { address } = await issue({ userInfo: '{}' })
    const user = `{${address.handle}}`
    expect(await keys()).to.deep.equal([user, `${user}:${address.sessionId}`, `${user}:user`].sort())
    const id = newId()
    await store.claim(id, newClaimant(), Date.now() + HOUR)
    await store.replaceValue(id, null, 'value', Date.now() + HOUR)
    expect(await keys()).to.include.members([`claim:${id}`, `value:${id}`])
  })

  it('begin with weapp: unless told otherwise', async () => {
    const usual = new RedisStore(redis())
    const { address } = await issue()
    await usual.writeUserInfo(address.handle, 'kept', Date.now() + HOUR)
    const name = `weapp:{${address.handle}}:user`
    expect(await redis().get(name)).to.equal('kept')
    await redis().del(name)
  })

  it('hold the index as a sorted set by time of login', async () => {
    const { address, createdAt } = await issue()
    const index = `${prefix}{${address.handle}}`
    expect(await redis().zrange(index, 0, '-1')).to.deep.equal([address.sessionId])
    expect(Number(await redis().zscore(index, address.sessionId))).to.equal(createdAt)
  })

  it('hold a record after 13 digits of its last visit, rewritten or not', async () => {
    const { address, createdAt, dropAt } = await issue({ record: 'old' })
    const record = `${prefix}{${address.handle}}:${address.sessionId}`
    expect(await redis().get(record)).to.equal(`${createdAt}old`)
    await store.touch(address, createdAt + 1, dropAt)
    await store.rewrite(address.handle, [{ sessionId: address.sessionId, from: 'old', to: 'new' }])
    expect(await redis().get(record)).to.equal(`${createdAt + 1}new`)
  })

  it('hold a claimant or an answer after a mark, and a shared value as it is', async () => {
    const [id, end] = [newId(), Date.now() + HOUR]
    const stored = () => redis().mget(`${prefix}claim:${id}`, `${prefix}value:${id}`)
    await store.claim(id, 'me', end)
    await store.replaceValue(id, null, 'value', end)
    expect(await stored()).to.deep.equal(['?me', 'value'])
    await store.settle(id, 'answer', end)
    await store.replaceValue(id, 'value', null, end)
    expect(await stored()).to.deep.equal(['!answer', null])
  })

  it('of claims and shared values stay when all sessions are ended, whatever their ids look like', async () => {
    const { address } = await issue()
    const end = Date.now() + HOUR
    for (const id of ['id', `{${address.handle}}`, `{${address.handle}}:${address.sessionId}`]) {
      await store.claim(id, newClaimant(), end)
      await store.replaceValue(id, null, 'value', end)
    }
    const before = await keys()
    expect(await endAllSessions(store)).to.equal(1)
    const user = `{${address.handle}}`
    const ofTheSession = [user, `${user}:${address.sessionId}`]
    expect(await keys()).to.deep.equal(before.filter((key) => !ofTheSession.includes(key)))
    expect(await keys()).to.have.lengthOf(7)
  })

  it('of a user who has no session any more are gone, but for the one that tells of the user', async () => {
    const { address } = await issue()
    const other = await issue({ address: newAddress(address.handle) })
    await store.remove(address)
    await store.remove(other.address)
    expect(await keys()).to.deep.equal([`{${address.handle}}:user`])
    await issue({ address })
    await store.removeUser(address.handle)
    expect(await keys()).to.deep.equal([`{${address.handle}}:user`])
  })

  it('of users whose sessions were all ended are gone, but for those that tell of the users', async () => {
    const [one, other] = [await issue({ userInfo: 'kept' }), await issue()]
    await endAllSessions(store)
    const profiles = [one, other].map(({ address }) => `{${address.handle}}:user`)
    expect(await keys()).to.deep.equal(profiles.sort())
  })

  it('hold an empty text for a user who has no profile, from the login on and after its deletion', async () => {
    const { address } = await issue()
    const profile = `${prefix}{${address.handle}}:user`
    expect(await redis().get(profile)).to.equal('')
    await store.writeUserInfo(address.handle, '{}', Date.now() + HOUR)
    await store.writeUserInfo(address.handle, null, Date.now() + HOUR)
    expect(await redis().get(profile)).to.equal('')
  })

  describe('end by themselves', () => {
    async function login(differences: Partial<SessionEntry>) {
      const { address, ...entry } = await issue(differences)
      const index = `{${address.handle}}`
      return { ...entry, address, index, record: `${index}:${address.sessionId}`, profile: `${index}:user` }
    }

    it('a record at its end, the index at the absolute end, the profile at its own', async () => {
      const now = Date.now()
      const { record, index, profile } = await login({
        dropAt: now + HOUR,
        expiresAt: now + 2 * HOUR,
        userInfo: '{}',
        userInfoDropAt: now + 3 * HOUR,
      })
      await expectEnd(record, now + HOUR)
      await expectEnd(index, now + 2 * HOUR)
      await expectEnd(profile, now + 3 * HOUR)
    })

    it('a record where a touch says, within the life of the index', async () => {
      const now = Date.now()
      const { address, record, index } = await login({ dropAt: now + 5_000, expiresAt: now + 2 * HOUR })
      await store.touch(address, now + 1, now + 2 * HOUR)
      await expectEnd(record, now + 2 * HOUR)
      await expectEnd(index, now + 2 * HOUR)
    })

    it('an index not before its longest session, although a newer one ends earlier', async () => {
      const now = Date.now()
      const { address, index } = await login({ expiresAt: now + 3 * HOUR })
      await issue({ address: newAddress(address.handle), expiresAt: now + 2 * HOUR })
      await expectEnd(index, now + 3 * HOUR)
      await issue({ address: newAddress(address.handle), expiresAt: now + 4 * HOUR })
      await expectEnd(index, now + 4 * HOUR)
    })

    it('an index not before its other sessions, although the newest has ended already', async () => {
      const now = Date.now()
      const { address, index } = await login({ expiresAt: now + HOUR })
      await issue({ address: newAddress(address.handle), dropAt: LONG_AGO, expiresAt: LONG_AGO })
      await expectEnd(index, now + HOUR)
    })

    it('an index whose only session has ended already', async () => {
      const { index } = await login({ dropAt: LONG_AGO, expiresAt: LONG_AGO })
      expect(await redis().pttl(prefix + index)).to.not.equal(-1)
    })

    it('a profile where a login that brings none says', async () => {
      const now = Date.now()
      const { address, profile } = await login({ userInfo: '{}', userInfoDropAt: now + HOUR })
      await issue({ address: newAddress(address.handle), userInfoDropAt: now + 2 * HOUR })
      await expectEnd(profile, now + 2 * HOUR)
      await store.writeUserInfo(address.handle, 'new', now + 3 * HOUR)
      await expectEnd(profile, now + 3 * HOUR)
    })

    it('an empty profile where the login says, then where its deletion says', async () => {
      const now = Date.now()
      const { address, profile } = await login({ userInfoDropAt: now + HOUR })
      await expectEnd(profile, now + HOUR)
      await store.writeUserInfo(address.handle, null, now + 2 * HOUR)
      await expectEnd(profile, now + 2 * HOUR)
    })

    it('a rewritten record where it would have ended, and so does the index', async () => {
      const now = Date.now()
      const { address, record, index } = await login({
        record: 'old',
        dropAt: now + HOUR,
        expiresAt: now + 2 * HOUR,
      })
      await store.rewrite(address.handle, [{ sessionId: address.sessionId, from: 'old', to: 'new' }])
      await expectEnd(record, now + HOUR)
      await expectEnd(index, now + 2 * HOUR)
    })

    it('a claim where it says, then where the answer says', async () => {
      const [id, now] = [newId(), Date.now()]
      await store.claim(id, newClaimant(), now + HOUR)
      await store.claim(id, newClaimant(), now + 9 * HOUR)
      await expectEnd(`claim:${id}`, now + HOUR)
      await store.settle(id, 'sealed', now + 2 * HOUR)
      await expectEnd(`claim:${id}`, now + 2 * HOUR)
    })

    it('a shared value where the last to replace it says', async () => {
      const [id, now] = [newId(), Date.now()]
      await store.replaceValue(id, null, 'first', now + HOUR)
      await store.replaceValue(id, null, 'second', now + 9 * HOUR)
      await expectEnd(`value:${id}`, now + HOUR)
      await store.replaceValue(id, 'first', 'second', now + 2 * HOUR)
      await expectEnd(`value:${id}`, now + 2 * HOUR)
    })

    for (const cleaner of ['list', 'issue'] as const) {
      it(`a session, whose place in the index the next ${cleaner} takes away`, async () => {
        const { address, index, record } = await login({ dropAt: Date.now() + 20 })
        const other = await issue({ address: newAddress(address.handle) })
        while ((await redis().exists(prefix + record)) === 1) await delay(2)
        expect(await redis().zcard(prefix + index)).to.equal(2)
        const newest = newAddress(address.handle)
        await (cleaner === 'list' ? store.list(address.handle) : issue({ address: newest }))
        const ids = [other.address.sessionId, newest.sessionId].slice(0, cleaner === 'list' ? 1 : 2)
        expect(await redis().zrange(prefix + index, 0, '-1')).to.have.members(ids)
      })
    }
  })
})
