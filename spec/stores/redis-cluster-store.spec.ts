import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { RedisStore } from '../../lib/index.js'
import { storeContract } from '../contracts/store-contract.js'
import { endAllSessions, storeUnderTest } from '../contracts/store-under-test.js'
import { failureOf } from '../support/failures.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'

const runner = { describe, it, beforeEach, afterEach }

describe('RedisStore on a Redis Cluster', () => {
  let servers: RedisCluster
  let cluster: Cluster
  let prefix: string
  let store: RedisStore
  const { issue } = storeUnderTest(runner, Date.now, () => store)

  before(async () => {
    servers = await startRedisCluster()
    cluster = new Cluster(servers.nodes)
  })

  after(async () => {
    cluster.disconnect()
    await servers.stop()
  })

  beforeEach(() => {
    prefix = freshPrefix()
    store = new RedisStore(cluster, { prefix })
  })

  storeContract({ runner, createStore: () => new RedisStore(cluster, { prefix: freshPrefix() }) })

  async function slotOf(key: string): Promise<number> {
    return Number(await cluster.cluster('KEYSLOT', key))
  }

  async function alive(logins: Awaited<ReturnType<typeof issue>>[]): Promise<number> {
    const visits = await Promise.all(logins.map(({ address }) => store.read(address)))
    return visits.filter((visit) => visit !== null).length
  }

  it('puts all keys of a user in one hash slot, and users in many', async () => {
    const slots = new Set<number>()
    for (let user = 0; user < 20; user += 1) {
      const { address } = await issue({ userInfo: '{}' })
      const ending = [address.sessionId, 'user'].map((end) => `:${end}`)
      const keys = ['', ...ending].map((end) => `${prefix}{${address.handle}}${end}`)
      const own = await Promise.all(keys.map(slotOf))
      expect(new Set(own).size).to.equal(1)
      expect(await Promise.all(keys.map((key) => cluster.exists(key)))).to.deep.equal([1, 1, 1])
      slots.add(own[0] ?? -1)
    }
    expect(slots.size).to.be.above(1)
  })

  it('works on every master after all have forgotten their scripts', async () => {
    await Promise.all(cluster.nodes('master').map((master) => master.script('FLUSH')))
    const logins = await Promise.all(Array.from({ length: 60 }, () => issue()))
    expect(await alive(logins)).to.equal(60)
  })

  describe('to end all sessions', () => {
    it('visits every master', async () => {
      const logins = await Promise.all(Array.from({ length: 60 }, () => issue()))
      const perMaster = await Promise.all(
        cluster.nodes('master').map((master) => master.keys(`${prefix}{*}:*`)),
      )
      expect(perMaster.map((keys) => keys.length))
        .to.have.lengthOf(3)
        .and.not.include(0)
      expect(await endAllSessions(store)).to.equal(60)
      expect(await alive(logins)).to.equal(0)
    })

    it('visits every master also with a client that has just been made and knows one of them', async () => {
      const logins = await Promise.all(Array.from({ length: 60 }, () => issue()))
      const young = new Cluster(servers.nodes.slice(0, 1))
      try {
        expect(await endAllSessions(new RedisStore(young, { prefix }))).to.equal(60)
        expect(await alive(logins)).to.equal(0)
      } finally {
        young.disconnect()
      }
    })

    it('fails or visits it too when the connection to a master was lost, but never passes over it', async () => {
      const logins = await Promise.all(Array.from({ length: 60 }, () => issue()))
      const other = new Cluster(servers.nodes)
      await other.ping()
      const away = new Promise((resolve) => other.once('-node', resolve))
      other.nodes('master')[0]?.disconnect()
      await away
      const outcome = await endAllSessions(new RedisStore(other, { prefix })).catch((error: unknown) => error)
      other.disconnect()
      const saysDone = !(outcome instanceof Error)
      expect(saysDone && (await alive(logins)) > 0).to.equal(false)
    })

    it('fails when no master can be reached, and does not say that it is done', async () => {
      const lost = new Cluster([{ host: '127.0.0.1', port: 1 }], { clusterRetryStrategy: () => null })
      lost.on('error', () => {})
      expect(await failureOf(() => new RedisStore(lost, { prefix }).removeBatch())).to.be.an('error')
      lost.disconnect()
    })
  })

  it('moves on when a session is asked for at the wrong master', async () => {
    const { address } = await issue()
    const direct = servers.nodes.map(({ host, port }) => new Redis({ host, port }))
    const reads = await Promise.allSettled(
      direct.map((client) => new RedisStore(client, { prefix }).read(address)),
    )
    for (const client of direct) client.disconnect()
    expect(reads.filter(({ status }) => status === 'fulfilled')).to.have.lengthOf(1)
    const reasons = reads.flatMap((read) => (read.status === 'rejected' ? [String(read.reason)] : []))
    expect(reasons.every((reason) => reason.includes('MOVED'))).to.equal(true)
  })
})
