import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, afterEach, before, describe, it } from 'mocha'
import { RedisStore, type SessionAddress } from '../../lib/index.js'
import { newAddress, newHandle } from '../../store-contract/store-under-test.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { loginOf } from '../support/store-calls.js'

const ROOM = 4_000_000
const RECORD = 'x'.repeat(2_000)
const AT_ONCE = 100
const MOST_USERS = 20_000
const ENOUGH_EVICTED = 600

const policies = [
  'volatile-ttl',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
]

describe('RedisStore on a Redis that evicts keys', function () {
  this.timeout(60_000)

  let server: RedisServer
  let redis: Redis

  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
  })

  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  afterEach(() => redis.flushall())

  async function numberIn(section: string, name: string): Promise<number> {
    const info = await redis.info(section)
    return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1])
  }

  /**
   * Logs users in, every other one twice, until Redis has evicted many of them. Returns all sessions by user.
   */
  async function fill(store: RedisStore): Promise<Map<string, SessionAddress[]>> {
    const users = new Map<string, SessionAddress[]>()
    while (users.size < MOST_USERS) {
      const handles = Array.from({ length: AT_ONCE }, () => newHandle())
      for (const some of [handles, handles.filter((_, place) => place % 2 === 0)]) {
        const addresses = some.map((handle) => newAddress(handle))
        await Promise.all(
          addresses.map(({ handle, sessionId }) =>
            store.issue(loginOf(handle, sessionId, { record: RECORD })),
          ),
        )
        for (const address of addresses)
          users.set(address.handle, [...(users.get(address.handle) ?? []), address])
      }
      if ((await numberIn('stats', 'evicted_keys')) > ENOUGH_EVICTED) return users
    }
    return expect.fail('nothing is evicted')
  }

  for (const policy of policies) {
    it(`lists every session that lives, and ends it with its user, under ${policy}`, async () => {
      const store = new RedisStore(redis, { prefix: freshPrefix() })
      await redis.config('RESETSTAT')
      await redis.config('SET', 'maxmemory-policy', policy)
      await redis.config('SET', 'maxmemory', (await numberIn('memory', 'used_memory')) + ROOM)
      const users = await fill(store)
      await redis.config('SET', 'maxmemory', 0)

      const wrong: string[] = []
      let living = 0
      async function check(handle: string, addresses: readonly SessionAddress[]): Promise<void> {
        const visits = await Promise.all(addresses.map((address) => store.read(address)))
        const ids = visits.flatMap((visit) => visit?.sessionId ?? [])
        const { sessions } = await store.readUser(handle)
        const listed = sessions.map(({ sessionId }) => sessionId)
        if (String(listed) !== String(ids)) wrong.push(`${handle} has ${ids}, listed are ${listed}`)
        const ended = await store.revokeUser(handle)
        if (ended !== ids.length) wrong.push(`${handle} has ${ids}, ended are ${ended}`)
        const visitsAfterwards = await Promise.all(addresses.map((address) => store.read(address)))
        if (visitsAfterwards.some((visit) => visit !== null)) wrong.push(`${handle} still has a session`)
        living += ids.length
      }
      await Promise.all([...users].map(([handle, addresses]) => check(handle, addresses)))
      expect(wrong).to.deep.equal([])
      expect(living).to.be.above(100)
      expect(living).to.be.below([...users.values()].flat().length)
    })
  }
})
