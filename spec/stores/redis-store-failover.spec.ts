import { once } from 'node:events'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore, type SessionStore } from '../../lib/index.js'
import { storeUnderTest } from '../../store-contract/store-under-test.js'
import { failureOf } from '../support/failures.js'
import { type MovingAddress, startMovingAddress } from '../support/moving-address.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

describe('RedisStore after a failover', () => {
  let primary: RedisServer
  let successor: RedisServer
  let address: MovingAddress
  let store: SessionStore
  const { entry, issue } = storeUnderTest(Date.now, () => store)

  beforeEach(async () => {
    const servers = await Promise.all([startRedisServer(), startRedisServer()])
    primary = servers[0]
    successor = servers[1]
    address = await startMovingAddress(primary.port)
  })
  afterEach(async () => {
    await address.close()
    await Promise.all([primary.stop(), successor.stop()])
  })

  /**
   * The primary becomes a replica, and keeps its connections: a replica of nobody who answers, because while
   * it loaded what its successor has, it would say LOADING.
   */
  async function failOver(): Promise<void> {
    const operator = new Redis(primary.url)
    await operator.call('REPLICAOF', '127.0.0.1', 1)
    operator.disconnect()
    address.leadTo(successor.port)
  }

  for (const [version, connect] of [
    ['ioredis 6', (port: number) => new Redis({ port, maxRetriesPerRequest: 1 })],
    ['ioredis 5', (port: number) => new Redis5({ port, maxRetriesPerRequest: 1 })],
  ] as const) {
    it(`leaves the old primary behind, and finds the new one at the same address, with ${version}`, async () => {
      const client = connect(address.port)
      try {
        store = new RedisStore(client)
        await issue()
        await failOver()
        const again = once(client, 'ready')
        expect(String(await failureOf(() => store.issue(entry())))).to.contain('READONLY')
        await again
        await issue()
      } finally {
        client.disconnect()
      }
    })
  }
})
