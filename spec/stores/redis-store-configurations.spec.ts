import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import { after, before, describe, it } from 'mocha'
import { type RedisClient, RedisStore, type SessionStore } from '../../lib/index.js'
import { endAllSessions, storeUnderTest } from '../../store-contract/store-under-test.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { sharedRedis } from '../support/shared-redis.js'

const CROWD = 20

/** Settings of a client, as they are found in the wild. */
const settings: readonly object[] = [
  { stringNumbers: true },
  { enableAutoPipelining: true },
  { enableAutoPipelining: true, stringNumbers: true },
  { protocol: 3 },
  { protocol: 3, stringNumbers: true },
  { commandTimeout: 10_000 },
  { lazyConnect: true },
  { maxRetriesPerRequest: null },
  { autoResendUnfulfilledCommands: false },
  { enableReadyCheck: false },
  { showFriendlyErrorStack: true },
  { readOnly: true },
  { db: 3 },
]
const clusterSettings: readonly object[] = [
  { enableAutoPipelining: true },
  { scaleReads: 'slave' },
  { scaleReads: 'all' },
  { scaleReads: 'slave', enableAutoPipelining: true },
  { redisOptions: { stringNumbers: true } },
  { redisOptions: { stringNumbers: true, enableAutoPipelining: true, protocol: 3 } },
  { lazyConnect: true },
]

interface Connected extends RedisClient {
  disconnect(reconnect?: boolean): void
}

describe('RedisStore with a client that is configured as people do', () => {
  let store: SessionStore
  const { issue, listedIds } = storeUnderTest(Date.now, () => store)

  /** What a crowd does at once, and then the operator. */
  async function serveACrowd(client: Connected): Promise<void> {
    store = new RedisStore(client, { prefix: freshPrefix() })
    try {
      const logins = await Promise.all(Array.from({ length: CROWD }, () => issue({ userInfo: '{}' })))
      const found = await Promise.all(
        logins.map(async ({ address }) => {
          await store.writeUserInfo(address.handle, '{"a":1}', 60_000)
          const visit = await store.read(address)
          return visit?.userInfo === '{"a":1}' && (await listedIds(address.handle)).length === 1
        }),
      )
      expect(found).to.deep.equal(logins.map(() => true))
      expect(await endAllSessions(store)).to.equal(CROWD)
      await store.ping()
    } finally {
      client.disconnect()
    }
  }

  for (const setting of settings) {
    it(`serves a crowd with ${JSON.stringify(setting)}, in ioredis 6 and 5`, async () => {
      const { url } = await sharedRedis()
      await serveACrowd(new Redis(url, setting))
      await serveACrowd(new Redis5(url, setting))
    })
  }

  describe('in a Cluster with replicas', () => {
    let servers: RedisCluster
    before(async () => {
      servers = await startRedisCluster({ withReplicas: true })
    })
    after(() => servers.stop())

    for (const setting of clusterSettings) {
      it(`serves a crowd with ${JSON.stringify(setting)}, in ioredis 6 and 5`, async () => {
        await serveACrowd(new Cluster(servers.nodes, setting))
        await serveACrowd(new Cluster5(servers.nodes, setting))
      })
    }
  })
})
