import { expect } from 'chai'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore, type SessionAddress, type SessionStore } from '../../lib/index.js'
import { endAllSessions, HOUR, newAddress } from '../../store-contract/store-under-test.js'
import { ownStoreContract } from '../contracts/own-store-contract.js'
import { testClock } from '../support/clock.js'
import { commandCalls } from '../support/command-calls.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'
import { sharedRedis } from '../support/shared-redis.js'
import { loginOf } from '../support/store-calls.js'
import { until } from '../support/until.js'
import { coldStore, type WarmStore, warmStore } from '../support/warm-store.js'

const REVOCATIONS = 1_000
const REQUESTS = 10_000

describe('RedisStore with a local cache', () => {
  const redis = aRedisClient()

  ownStoreContract({
    createStore: async () => (await warmStore(redis(), { prefix: freshPrefix() })).store,
    clear: () => redis().flushall(),
  })

  /** Another process. */
  let otherClient: Redis
  let client: Redis
  let other: SessionStore
  let prefix: string
  let warm: WarmStore

  beforeEach(async () => {
    const { url } = await sharedRedis()
    prefix = freshPrefix()
    client = new Redis(url)
    otherClient = new Redis(url)
    other = new RedisStore(otherClient, { prefix })
    warm = await warmStore(client, { prefix })
  })
  afterEach(async () => {
    await warm.store.close()
    client.disconnect()
    otherClient.disconnect()
  })

  /** A login in the other process, whose session is in the memory of this one. */
  async function knownLogin(address = newAddress(), differences = {}): Promise<SessionAddress> {
    await other.issue(loginOf(address.handle, address.sessionId, differences))
    await until(() => warm.isFromMemory(address))
    return address
  }

  /** Resolves when the news of all changes so far have come. */
  async function told(): Promise<void> {
    const address = await knownLogin()
    await other.writeUserInfo(address.handle, 'told', HOUR)
    await until(async () => (await warm.store.read(address))?.userInfo === 'told')
  }

  it('reads a session that it has read without asking Redis, with all that there is', async () => {
    const address = await knownLogin(undefined, { userInfo: 'profile', record: 'record' })
    const [here, there] = [await warm.store.read(address), await other.read(address)]
    // Both are estimates.
    expect(here?.readAt).to.be.closeTo(Number(there?.readAt), 1_000)
    expect({ ...here, readAt: there?.readAt }).to.deep.equal(there)
  })

  it('asks Redis for a session that there is not, each time', async () => {
    const { handle } = await knownLogin()
    const unknown = newAddress(handle)
    for (let n = 0; n < 3; n += 1) expect(await warm.isFromMemory(unknown)).to.equal(false)
    expect(await warm.store.read(unknown)).to.equal(null)
    await other.issue(loginOf(handle, unknown.sessionId))
    expect(await warm.store.read(unknown)).to.include({ sessionId: unknown.sessionId })
  })

  it(`serves none of ${REVOCATIONS} sessions that another process has ended, once it was told`, async function () {
    const delays: number[] = []
    const { handle } = newAddress()
    for (let n = 0; n < REVOCATIONS; n += 1) {
      const address = await knownLogin(newAddress(n % 2 ? handle : undefined))
      await (n % 4 === 0 ? other.revokeUser(address.handle) : other.revoke(address))
      const endedAt = performance.now()
      while (await warm.store.read(address)) await new Promise(setImmediate)
      delays.push(performance.now() - endedAt)
      for (let again = 0; again < 3; again += 1) expect(await warm.store.read(address)).to.equal(null)
    }
    delays.sort((one, two) => one - two)
    const [median, p99, most] = [0.5, 0.99, 1].map((share) =>
      delays[Math.ceil(share * delays.length) - 1]?.toFixed(1),
    )
    if (this.test) this.test.title += ` (after ${median} ms, p99 ${p99} ms, at most ${most} ms)`
  })

  const changesElsewhere: Readonly<Record<string, (address: SessionAddress) => Promise<unknown>>> = {
    'an ended session': (address) => other.revoke(address),
    'an ended user': ({ handle }) => other.revokeUser(handle),
    'the end of everybody': () => endAllSessions(other),
    'the first step of the end of everybody': () => other.revokeBatch({ group: null }),
    'the first step of the end of a group': ({ handle }) => other.revokeBatch({ group: handle.slice(0, 4) }),
    'a login that ends the oldest session': ({ handle }) =>
      other.issue(loginOf(handle, newAddress().sessionId, { maxSessions: 1 })),
    'a login that replaces the session': ({ handle, sessionId }) =>
      other.issue(loginOf(handle, newAddress().sessionId, { replaces: sessionId })),
    'another id': ({ handle, sessionId }) =>
      other.rewrite(handle, [{ sessionId, from: 'old', to: 'new', newSessionId: newAddress().sessionId }]),
    'a visit that ends the session': (address) => other.touch(address, { sessionDurationMs: 0, endsBy: 0 }),
    'a deleted key': ({ handle }) => otherClient.del(`${prefix}{${handle}}`),
    FLUSHALL: () => otherClient.flushall(),
  }

  for (const [what, change] of Object.entries(changesElsewhere)) {
    it(`no longer serves a session after ${what} in another process, when told`, async () => {
      const address = await knownLogin()
      await change(address)
      await told()
      expect(await warm.store.read(address)).to.equal(null)
    })
  }

  it('has what another process has changed, when told', async () => {
    const address = await knownLogin(undefined, { userInfo: 'before' })
    const { handle, sessionId } = address
    await other.writeUserInfo(handle, 'after', HOUR)
    await other.rewrite(handle, [{ sessionId, from: 'old', to: 'new' }])
    const visit = await other.touch(address, { sessionDurationMs: HOUR, endsBy: 9_999_999_999_999 })
    await told()
    expect(await warm.store.read(address)).to.include({ ...visit, userInfo: 'after', record: 'new' })
  })

  it('goes on with the users it knows when the marks are written unchanged, as each health check does', async () => {
    const [address, another] = [await knownLogin(), await knownLogin()]
    await other.ping()
    await told()
    await until(() => warm.isFromMemory(another))
    expect(await warm.isFromMemory(address)).to.equal(true)
  })

  it('judges by the time of each request when a session and a profile end', async () => {
    const clock = testClock()
    const timed = await warmStore(client, { prefix: freshPrefix(), clock })
    const address = newAddress()
    await timed.store.issue(
      loginOf(address.handle, address.sessionId, { userInfo: 'profile', userInfoDurationMs: HOUR / 2 }),
    )
    await timed.store.read(address)
    clock.advance(HOUR / 2 - 1)
    expect(await timed.isFromMemory(address)).to.equal(true)
    expect(await timed.store.read(address)).to.include({ userInfo: 'profile', readAt: clock.now })
    clock.advance(1)
    expect(await timed.isFromMemory(address)).to.equal(true)
    expect(await timed.store.read(address)).to.include({ userInfo: null })
    clock.advance(HOUR / 2 - 1)
    expect(await timed.isFromMemory(address)).to.equal(true)
    clock.advance(1)
    expect(await timed.store.read(address)).to.equal(null)
    await timed.store.close()
  })

  it('judges by the clock of Redis when a session ends', async () => {
    const address = await knownLogin(undefined, { sessionDurationMs: 300 })
    const { endsAt = 0 } = (await warm.store.read(address)) ?? {}
    await until(async () => (await warm.store.read(address)) === null)
    const [seconds, micros] = await otherClient.time()
    expect(Number(seconds) * 1_000 + Number(micros) / 1_000).to.be.at.least(endsAt)
  })

  it('keeps no more users than it may', async () => {
    const small = await warmStore(client, { prefix, localCache: { maxUsers: 5 } })
    const addresses = Array.from({ length: 20 }, () => newAddress())
    for (const address of addresses) {
      await other.issue(loginOf(address.handle, address.sessionId))
      await small.store.read(address)
    }
    let known = 0
    for (const address of addresses.toReversed()) if (await small.isFromMemory(address)) known += 1
    expect(known).to.be.within(1, 5)
    await small.store.close()
  })

  it('asks Redis again when what it has read is too old', async () => {
    const brief = await warmStore(client, { prefix, localCache: { seconds: 0.05 } })
    const address = await knownLogin()
    await brief.store.read(address)
    await until(async () => !(await brief.isFromMemory(address)))
    await brief.store.close()
  })

  it(`costs Redis at most 0.02 commands a request, over ${REQUESTS} requests of a hot session`, async () => {
    const address = await knownLogin()
    await otherClient.config('RESETSTAT')
    for (let n = 0; n < REQUESTS; n += 1) {
      expect(await warm.store.read(address)).to.include({ sessionId: address.sessionId })
      if (n % 64 === 0) await new Promise(setImmediate)
    }
    const {
      info: _ownInfo,
      config: _own,
      'config|resetstat': _ownReset,
      ...calls
    } = await commandCalls(otherClient)
    const sum = Object.values(calls).reduce<number>((total, count = 0) => total + count, 0)
    expect(sum / REQUESTS, JSON.stringify(calls)).to.be.at.most(0.02)
  })

  it('opens no connection before the first read, and none after its end, and works on', async () => {
    const before = await channels()
    const cold = coldStore(client, { prefix: freshPrefix() })
    expect(await channels()).to.equal(before)
    await cold.serves()
    expect(await channels()).to.equal(before + 1)
    await cold.store.close()
    await cold.standsStill()
    await until(async () => (await channels()) === before)
  })

  /** How many connections there are on which Redis tells of changes. */
  async function channels(): Promise<number> {
    return String(await otherClient.client('LIST')).match(/ redir=\d/g)?.length ?? 0
  }

  it('closes its connection when the client is closed', async () => {
    const own = new Redis((await sharedRedis()).url)
    const before = await channels()
    const { store } = await warmStore(own, { prefix: freshPrefix() })
    expect(await channels()).to.equal(before + 1)
    own.disconnect()
    await until(async () => (await channels()) === before)
    await store.close()
  })

  it('goes on with a client that connects again after its end', async () => {
    client.disconnect()
    await warm.standsStill().catch(() => undefined)
    await client.connect()
    await warm.serves()
  })

  it('serves two stores of one client, each its own users', async () => {
    const address = await knownLogin()
    const second = await warmStore(client, { prefix: freshPrefix() })
    expect(await second.store.read(address)).to.equal(null)
    expect(await warm.isFromMemory(address)).to.equal(true)
    await second.store.close()
  })

  it('serves in another database than the first, and with ioredis 5', async () => {
    const { url } = await sharedRedis()
    for (const each of [
      new Redis(url, { db: 3 }),
      new Redis5(url, { db: 3 }),
      new Redis(url, { protocol: 3, stringNumbers: true, enableAutoPipelining: true }),
    ]) {
      const { store } = await warmStore(each, { prefix: freshPrefix() })
      await store.close()
      each.disconnect()
    }
  })

  it('refuses wrong options, and names them', () => {
    const make = (localCache: unknown) => () => new RedisStore(client, { localCache: localCache as object })
    expect(make(true)).to.throw(TypeError, /localCache: the options must be an object/)
    expect(make({ ttl: 1 })).to.throw(TypeError, /localCache: unknown option "ttl".*seconds, maxUsers/)
    for (const seconds of [0, 10.1, '5', Number.NaN])
      expect(make({ seconds }), String(seconds)).to.throw(
        TypeError,
        /localCache\.seconds must be .* up to 10/,
      )
    for (const maxUsers of [0, 1.5, 1_000_001])
      expect(make({ maxUsers }), String(maxUsers)).to.throw(
        TypeError,
        /localCache\.maxUsers must be .* 1000000/,
      )
    expect(() => new RedisStore({ call: async () => null }, { localCache: {} })).to.throw(
      TypeError,
      /ioredis/,
    )
  })
})
