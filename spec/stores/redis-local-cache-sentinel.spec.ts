import { expect } from 'chai'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { after, before, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { newAddress } from '../../store-contract/store-under-test.js'
import { startWatchedRedis, type WatchedRedis } from '../support/redis-sentinel.js'
import { loginOf } from '../support/store-calls.js'
import { until } from '../support/until.js'
import { warmStore } from '../support/warm-store.js'

describe('RedisStore with a local cache under Sentinel', () => {
  let watched: WatchedRedis

  before(async () => {
    watched = await startWatchedRedis()
  })
  after(() => watched.stop())

  it('follows the client to the new primary, and is told by it, with ioredis 6 and 5', async () => {
    const { name, sentinels } = watched
    const settings = { name, sentinels, maxRetriesPerRequest: null, retryStrategy: () => 20 }
    const clients = [new Redis(settings), new Redis5(settings)]
    const otherClient = new Redis(settings)
    for (const each of [...clients, otherClient]) each.on('error', () => undefined)
    const other = new RedisStore(otherClient)
    const warmStores = await Promise.all(clients.map((client) => warmStore(client)))

    async function expectToBeTold(): Promise<void> {
      const address = newAddress()
      await other.issue(loginOf(address.handle, address.sessionId))
      for (const { isFromMemory } of warmStores) await until(() => isFromMemory(address))
      await other.revoke(address)
      for (const { store } of warmStores) {
        await until(async () => (await store.read(address)) === null)
        expect(await store.read(address)).to.equal(null)
      }
    }

    await expectToBeTold()
    const away = clients.map((client) => new Promise((resolve) => client.once('close', () => resolve(null))))
    await watched.failOver()
    await Promise.all(away)
    await Promise.all(warmStores.map(({ serves }) => serves()))
    await expectToBeTold()
    for (const { store } of warmStores) await store.close()
    for (const each of [...clients, otherClient]) each.disconnect()
  })
})
