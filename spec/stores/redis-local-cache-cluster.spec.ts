import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { RedisStore, type SessionAddress } from '../../lib/index.js'
import { storeContract } from '../../store-contract/index.js'
import { endAllSessions, newAddress } from '../../store-contract/store-under-test.js'
import { slotOf } from '../support/hash-slot.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { connectMasters, type Master, SlotOnTheMove } from '../support/slot-on-the-move.js'
import { loginOf } from '../support/store-calls.js'
import { until } from '../support/until.js'
import { type WarmStore, warmStore } from '../support/warm-store.js'

const USERS = 30

describe('RedisStore with a local cache on a Redis Cluster', () => {
  let servers: RedisCluster
  let cluster: Cluster
  let otherCluster: Cluster
  let prefix: string
  let warm: WarmStore
  let other: RedisStore

  before(async () => {
    servers = await startRedisCluster({ withReplicas: true })
    cluster = new Cluster(servers.nodes)
    otherCluster = new Cluster(servers.nodes)
  })
  after(async () => {
    cluster.disconnect()
    otherCluster.disconnect()
    await servers.stop()
  })
  beforeEach(async () => {
    prefix = freshPrefix()
    other = new RedisStore(otherCluster, { prefix })
    warm = await warmStore(cluster, { prefix })
  })
  afterEach(() => warm.store.close())

  /** Logins of users on all masters, known here. */
  async function knownLogins(): Promise<SessionAddress[]> {
    const addresses = Array.from({ length: USERS }, () => newAddress())
    for (const address of addresses) {
      await other.issue(loginOf(address.handle, address.sessionId))
      await until(() => warm.isFromMemory(address))
    }
    return addresses
  }

  async function expectEnded(addresses: readonly SessionAddress[]): Promise<void> {
    for (const address of addresses) {
      await until(async () => (await warm.store.read(address)) === null)
      for (let n = 0; n < 3; n += 1) expect(await warm.store.read(address)).to.equal(null)
    }
  }

  describe('as a SessionStore', () => {
    const createStore = async () => (await warmStore(cluster, { prefix: freshPrefix() })).store
    for (const { name, run } of storeContract({ createStore })) it(name, run)
  })

  it('is told by each master', async () => {
    const addresses = await knownLogins()
    const slots = addresses.map(({ handle }) => slotOf(`${prefix}{${handle}}`))
    expect(new Set(slots.map((slot) => Math.floor((slot * 3) / 16_384)))).to.have.property('size', 3)
    await Promise.all(addresses.map((address) => other.revoke(address)))
    await expectEnded(addresses)
  })

  it('is told of the end of everybody, and of a group, at its first step', async () => {
    const addresses = await knownLogins()
    await other.revokeBatch({ group: addresses[0]?.handle.slice(0, 4) ?? '' })
    await expectEnded(addresses.slice(0, 1))
    await other.revokeBatch({ group: null })
    await expectEnded(addresses)
    await endAllSessions(other)
  })

  it('serves nothing while one of the masters tells nothing, and then goes on', async () => {
    for (const { port } of servers.nodes) {
      const operator = new Redis({ port })
      const addresses = await knownLogins()
      await operator.acl('SETUSER', 'default', '-client|tracking')
      const list = String(await operator.client('LIST'))
      for (const [, id] of list.matchAll(/^id=(\d+) .* redir=\d/gm)) {
        await operator.client('KILL', 'ID', String(id))
      }
      await Promise.all(addresses.map((address) => other.revoke(address)))
      await warm.standsStill()
      for (const address of addresses) expect(await warm.store.read(address)).to.equal(null)
      await operator.acl('SETUSER', 'default', '+@all')
      operator.disconnect()
      await warm.serves()
      for (const address of addresses) expect(await warm.store.read(address)).to.equal(null)
    }
  })

  it('works with ioredis 5', async () => {
    const cluster5 = new Cluster5(servers.nodes)
    const { store } = await warmStore(cluster5, { prefix: freshPrefix() })
    await store.close()
    cluster5.disconnect()
  })

  it('is told by the new master after a failover, and serves no user in between that it may not be told of', async () => {
    const addresses = await knownLogins()
    const [, replica = expect.fail('no replica')] = await nodesOfFirstSlots()
    const operator = new Redis({ port: replica.port })
    await operator.call('CLUSTER', 'FAILOVER')
    await until(async () => (await nodesOfFirstSlots())[0]?.id === replica.id)
    operator.disconnect()
    await Promise.all(addresses.map((address) => other.revoke(address)))
    await expectEnded(addresses)
    await until(async () => cluster.nodes('master').some(({ options }) => options.port === replica.port))
    await warm.serves()
    const later = await knownLogins()
    await Promise.all(later.map((address) => other.revoke(address)))
    await expectEnded(later)
  })

  /** The master of the first slots, and its replicas. */
  async function nodesOfFirstSlots(): Promise<{ port: number; id: string }[]> {
    const operator = new Redis({ port: servers.nodes[2]?.port ?? 0 })
    const ranges = (await operator.call('CLUSTER', 'SLOTS')) as unknown[][]
    operator.disconnect()
    const [, , ...nodes] = ranges[0] ?? expect.fail('no slots')
    return (nodes as [string, number, string][]).map(([, port, id]) => ({ port, id }))
  }
})

describe('RedisStore with a local cache on a Redis Cluster that grows', () => {
  let servers: RedisCluster
  let newcomer: RedisServer
  let masters: Master[]
  let cluster: Cluster
  let otherCluster: Cluster

  before(async () => {
    servers = await startRedisCluster()
    newcomer = await startRedisServer({ args: ['--cluster-enabled', 'yes'] })
    masters = await connectMasters([...servers.nodes, { host: '127.0.0.1', port: newcomer.port }])
    cluster = new Cluster(servers.nodes)
    otherCluster = new Cluster(servers.nodes)
  })
  after(async () => {
    for (const { client } of masters) client.disconnect()
    cluster.disconnect()
    otherCluster.disconnect()
    await newcomer.stop()
    await servers.stop()
  })

  async function join(target: Master): Promise<void> {
    await target.client.call('CLUSTER', 'MEET', '127.0.0.1', servers.nodes[0]?.port ?? 0)
    await until(async () => {
      const known = await Promise.all(masters.map(({ client }) => client.call('CLUSTER', 'NODES')))
      return known.every((nodes) => masters.every(({ id }) => String(nodes).includes(id)))
    })
    await until(async () => /cluster_state:ok/.test(String(await target.client.call('CLUSTER', 'INFO'))))
  }

  it('is told by the new master', async () => {
    const prefix = freshPrefix()
    const other = new RedisStore(otherCluster, { prefix })
    const { store, isFromMemory } = await warmStore(cluster, { prefix, localCache: { seconds: 10 } })
    const address = newAddress()
    await other.issue(loginOf(address.handle, address.sessionId))
    const target = masters.find(({ port }) => port === newcomer.port) ?? expect.fail('no newcomer')
    await join(target)
    const slot = slotOf(`${prefix}{${address.handle}}`)
    const owner = await ownerOf(slot)
    const source = masters.find(({ id }) => id === owner) ?? expect.fail('no owner')
    const move = new SlotOnTheMove(slot, source, target, masters)
    await move.begin()
    await move.finish()
    await until(() => isFromMemory(address))
    await other.revoke(address)
    await until(async () => (await store.read(address)) === null, 4_000)
    await store.close()
  })

  /** The id of the master of a slot. */
  async function ownerOf(slot: number): Promise<string | undefined> {
    const operator = new Redis({ port: servers.nodes[0]?.port ?? 0 })
    const ranges = (await operator.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
    operator.disconnect()
    return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][2]
  }
})
