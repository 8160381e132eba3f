import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { HOUR } from '../../store-contract/store-under-test.js'
import { ownStoreContract } from '../contracts/own-store-contract.js'
import { failureOf } from '../support/failures.js'
import { type MonitoredKeys, monitorKeys } from '../support/monitored-keys.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { type StrictProxy, startStrictProxy } from '../support/strict-proxy.js'

const clusterWords = "CROSSSLOT Keys in request don't hash to the same slot"

for (const [which, crossSlot] of [
  ['refuses keys of different slots', clusterWords],
  ['only refuses keys that are not declared', undefined],
] as const) {
  describe(`RedisStore behind a proxy that ${which}`, () => {
    let server: RedisServer
    let proxy: StrictProxy
    let keys: MonitoredKeys
    let admin: Redis
    let redis: Redis

    before(async () => {
      server = await startRedisServer()
      proxy = await startStrictProxy({ behind: server.port, crossSlot })
      keys = await monitorKeys(server.url)
      admin = new Redis(server.url)
      redis = new Redis({ port: proxy.port, protocol: 2 })
    })

    after(async () => {
      redis.disconnect()
      admin.disconnect()
      keys.close()
      await proxy.close()
      await server.stop()
    })

    const createStore = () => new RedisStore(redis, { prefix: freshPrefix() })
    ownStoreContract({ createStore, clear: () => admin.flushall(), onlyTheWayDiffers: true })

    describe('after all that', () => {
      it('has reached many keys, and none that was not declared', async () => {
        await keys.caughtUp()
        expect(keys.undeclared).to.deep.equal([])
        expect(keys.reached).to.be.above(1000)
      })

      it('was refused nothing but what it has an answer to', () => {
        const kinds = new Set(proxy.refusals.map((refusal) => refusal.replace(/^NOSCRIPT .*/, 'NOSCRIPT')))
        expect([...kinds].sort()).to.deep.equal(crossSlot ? [crossSlot, 'NOSCRIPT'] : ['NOSCRIPT'])
      })
    })
  })
}

describe('RedisStore behind a proxy of a cluster', () => {
  const handles = ['one', 'two', 'three', 'four', 'five']
  let server: RedisServer

  before(async () => {
    server = await startRedisServer()
  })

  after(() => server.stop())

  for (const crossSlot of [clusterWords, 'ERR eval/evalsha command keys must be in same slot']) {
    it(`tries keys of different slots only once when told ${crossSlot}`, async () => {
      const proxy = await startStrictProxy({ behind: server.port, crossSlot })
      const redis = new Redis({ port: proxy.port, protocol: 2 })
      const store = new RedisStore(redis, { prefix: freshPrefix() })
      for (const handle of handles) await store.writeUserInfo(handle, `profile of ${handle}`, HOUR)
      const users = await Promise.all(handles.map((handle) => store.readUser(handle)))
      redis.disconnect()
      await proxy.close()
      expect(users.map(({ userInfo }) => userInfo)).to.deep.equal(
        handles.map((handle) => `profile of ${handle}`),
      )
      expect(proxy.refusals.filter((refusal) => refusal === crossSlot)).to.have.lengthOf(1)
    })
  }
})

for (const [which, further] of [
  ['eight commands', ['+mget']],
  ['all of these but mget', []],
] as const)
  describe(`RedisStore as a user who may reach only the keys of its prefix, with ${which}`, () => {
    const prefix = freshPrefix()
    let server: RedisServer
    let admin: Redis
    let redis: Redis

    before(async () => {
      server = await startRedisServer()
      admin = new Redis(server.url)
      const commands = ['+evalsha', '+eval', '+time', '+get', '+set', '+del', '+scan', ...further]
      await admin.call('ACL', 'SETUSER', 'shop', 'reset', 'on', '>secret', `~${prefix}*`, ...commands)
      redis = new Redis(server.url, { username: 'shop', password: 'secret', enableReadyCheck: false })
    })

    after(async () => {
      redis.disconnect()
      admin.disconnect()
      await server.stop()
    })

    const createStore = () => new RedisStore(redis, { prefix: `${prefix}${randomUUID()}:` })
    ownStoreContract({ createStore, clear: () => admin.flushall(), onlyTheWayDiffers: true })

    it('cannot even read with another prefix', async () => {
      const error = await failureOf(() => new RedisStore(redis, { prefix: 'other:' }).readUser('user'))
      expect(error)
        .to.be.an('error')
        .with.property('message')
        .that.matches(/NOPERM/)
    })
  })

describe('the proxy that these tests use', () => {
  let server: RedisServer
  let proxy: StrictProxy
  let redis: Redis

  before(async () => {
    server = await startRedisServer()
    proxy = await startStrictProxy({ behind: server.port, crossSlot: clusterWords })
    redis = new Redis({ port: proxy.port, protocol: 2 })
  })

  after(async () => {
    redis.disconnect()
    await proxy.close()
    await server.stop()
  })

  const scripts: [what: string, source: string, keys: string[], refusal: RegExp | undefined][] = [
    ['a declared key', "return redis.call('GET', KEYS[1])", ['a'], undefined],
    ['the time', "return redis.call('TIME')", ['a'], undefined],
    ['keys of one slot', "return redis.call('GET', KEYS[2])", ['{a}1', '{a}2'], undefined],
    ['a key that is asked for', "return KEYS[2] and redis.call('GET', KEYS[2])", ['a'], undefined],
    ['no key', "return redis.call('TIME')", [], /number of keys/],
    ['keys of different slots', "return redis.call('GET', KEYS[2])", ['a', 'b'], /^CROSSSLOT/],
    ['a key too few', "return redis.call('GET', KEYS[2])", ['a'], /KEYS\[2\] of 1 keys/],
    ['a literal key', "return redis.call('GET', 'a')", ['a'], /KEYS array/],
    ['a key of ARGV', "return redis.call('GET', ARGV[1])", ['a'], /KEYS array/],
    ['a key in a variable', "local key = KEYS[1] return redis.call('GET', key)", ['a'], /KEYS array/],
    ['a key in an expression', "return redis.call('GET', KEYS[1] .. 'b')", ['a'], /KEYS array/],
    ['a key by a variable', "local i = 1 return redis.call('GET', KEYS[i])", ['a'], /KEYS array/],
    ['one key more', "return redis.call('DEL', KEYS[1], ARGV[1])", ['a'], /KEYS array/],
    ['pcall with a literal key', "return redis.pcall('GET', 'a')", ['a'], /KEYS array/],
    ['a command in a variable', "local get = 'GET' return redis.call(get, KEYS[1])", ['a'], /literal name/],
    ['call under another name', "local call = redis.call return call('GET', 'a')", ['a'], /literal name/],
    ['a call in a call', "return redis.call('SET', redis.call('GET', KEYS[1]), '')", ['a'], /KEYS array/],
  ]
  for (const [what, source, keys, refusal] of scripts) {
    it(`${refusal ? 'refuses' : 'lets through'} a script with ${what}`, async () => {
      const outcome = await redis
        .eval(source, keys.length, ...keys, 'b')
        .catch((error: Error) => error.message)
      if (refusal) expect(outcome).to.match(refusal)
      else expect(outcome === null || Array.isArray(outcome)).to.equal(true)
    })
  }

  const commands = [
    ['CLUSTER', 'SLOTS'],
    ['SCRIPT', 'FLUSH'],
    ['SELECT', '1'],
    ['EVALSHA', 'f'.repeat(40), '1', 'a'],
  ]
  for (const [command = '', ...args] of commands) {
    it(`refuses ${command}, and answers what comes after it`, async () => {
      const replies = await Promise.allSettled([redis.call(command, ...args), redis.ping()])
      expect(replies.map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled'])
    })
  }
})
