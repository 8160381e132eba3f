import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { describe, it } from 'mocha'
import { type RedisClient, RedisStore } from '../../lib/index.js'
import { ownStoreContract } from '../contracts/own-store-contract.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

describe('RedisStore with ioredis 6', () => {
  const redis = aRedisClient()
  const createStore = () => new RedisStore(redis(), { prefix: freshPrefix() })
  ownStoreContract({ createStore, clear: () => redis().flushall() })
})

describe('RedisStore with ioredis 6 speaking RESP2', () => {
  const redis = aRedisClient((url) => new Redis(url, { protocol: 2 }))
  const createStore = () => new RedisStore(redis(), { prefix: freshPrefix() })
  ownStoreContract({ createStore, clear: () => redis().flushall(), onlyTheWayDiffers: true })
})

describe('RedisStore with ioredis 5', () => {
  const redis = aRedisClient((url) => new Redis5(url))
  const createStore = () => new RedisStore(redis(), { prefix: freshPrefix() })
  ownStoreContract({ createStore, clear: () => redis().flushall(), onlyTheWayDiffers: true })
})

describe('RedisStore with a client like that of node-redis', () => {
  const redis = aRedisClient()
  // node-redis takes all arguments in one array, and only strings.
  const nodeRedis = {
    sendCommand: ([command = '', ...args]: string[]) => redis().call(command, ...args),
  }
  const client: RedisClient = { call: (...args) => nodeRedis.sendCommand(args.map(String)) }
  const createStore = () => new RedisStore(client, { prefix: freshPrefix() })
  ownStoreContract({ createStore, clear: () => redis().flushall(), onlyTheWayDiffers: true })
})

describe('RedisStore that is told the time', () => {
  const redis = aRedisClient()
  const createStore = () => new RedisStore(redis(), { prefix: freshPrefix(), clock: Date.now })
  ownStoreContract({ createStore, clear: () => redis().flushall() })
})

describe('new RedisStore', () => {
  const client: RedisClient = { call: async () => null }

  it('refuses what is not a client', () => {
    for (const wrong of [undefined, null, 'redis://127.0.0.1', {}, { call: 'PING' }]) {
      expect(() => new RedisStore(wrong as unknown as RedisClient))
        .to.throw(TypeError)
        .with.property('message')
        .that.matches(/^RedisStore must be given an ioredis client/)
    }
  })

  it('refuses an option it does not know', () => {
    expect(() => new RedisStore(client, { prefx: 'a:' } as object)).to.throw(
      TypeError,
      /"prefx".*prefix, localCache, waitReplicas, clock/,
    )
  })

  it('refuses a clock that is not a function', () => {
    const clock = 1_700_000_000_000 as unknown as () => number
    expect(() => new RedisStore(client, { clock })).to.throw(TypeError, /clock must be a function/)
  })

  for (const prefix of ['', 7]) {
    it(`refuses ${JSON.stringify(prefix)} as prefix`, () => {
      expect(() => new RedisStore(client, { prefix: prefix as string })).to.throw(TypeError, /prefix must be/)
    })
  }

  for (const prefix of ['{}:', 'weapp:{eu}:']) {
    it(`refuses the prefix ${prefix}, as braces belong to handles`, () => {
      expect(() => new RedisStore(client, { prefix })).to.throw(TypeError, /prefix/)
    })
  }

  it('refuses a client that asks Sentinel for a replica', () => {
    const client = new Redis({ lazyConnect: true, name: 'main', role: 'slave', sentinels: [{ port: 1 }] })
    expect(() => new RedisStore(client)).to.throw(TypeError, /role: 'slave'/)
    client.disconnect()
  })

  it('refuses a client that has a keyPrefix of its own', () => {
    const lazy = { lazyConnect: true, keyPrefix: 'mine:' }
    const clients = {
      standalone: new Redis(lazy),
      'standalone of ioredis 5': new Redis5(lazy),
      cluster: new Cluster([{ port: 1 }], lazy),
      'nodes of a cluster': new Cluster([{ port: 1 }], {
        lazyConnect: true,
        redisOptions: { keyPrefix: 'mine:' },
      }),
    }
    const structural = { ...client, options: { redisOptions: { keyPrefix: 'mine:' } } }
    expect(() => new RedisStore(structural)).to.throw(TypeError, /keyPrefix/)
    for (const [which, prefixed] of Object.entries(clients)) {
      expect(() => new RedisStore(prefixed), which).to.throw(TypeError, /keyPrefix.*\{ prefix \}/)
      prefixed.disconnect()
    }
  })
})
