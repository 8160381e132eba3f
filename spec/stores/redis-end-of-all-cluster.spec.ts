import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { RedisStore, type SessionStore } from '../../lib/index.js'
import { newAddress } from '../../store-contract/store-under-test.js'
import { numberInSlot } from '../support/hash-slot.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { roleOf } from '../support/redis-replica.js'
import { connectMasters, type Master, SlotOnTheMove } from '../support/slot-on-the-move.js'
import { FIRST, loginOf } from '../support/store-calls.js'
import { until } from '../support/until.js'

const ROUNDS = 3

describe('RedisStore that clears away in a Cluster', () => {
  let servers: RedisCluster
  /** In the order in which they are visited. */
  let masters: Master[]
  let client: Cluster
  let store: SessionStore
  let moves = 0

  before(async () => {
    servers = await startRedisCluster({ withReplicas: true })
    masters = await connectMasters(servers.nodes)
  })
  after(async () => {
    for (const master of masters) master.client.disconnect()
    await servers.stop()
  })
  beforeEach(() => {
    client = new Cluster(servers.nodes)
    store = new RedisStore(client, { prefix: freshPrefix() })
  })
  afterEach(() => client.disconnect())

  const masterAt = (place: number) => masters.at(place) ?? expect.fail('the cluster has too few masters')

  async function firstSlotOf({ id, client }: Master): Promise<number> {
    const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][]
    return ranges.find(([, , [, , owner]]) => owner === id)?.[0] ?? Number.NaN
  }

  async function logIn(slot: number): Promise<void> {
    const handle = `user-${numberInSlot(slot, 'user-')}`
    expect((await store.issue(loginOf(handle, FIRST))).state).to.equal('issued')
  }

  /** Moves a slot from the last to the first of the masters. */
  async function move(slot: number): Promise<void> {
    const own = new SlotOnTheMove(slot, masterAt(-1), masterAt(0), masters)
    await own.begin()
    await own.finish()
    moves += 1
  }

  /** Ends everybody. `meanwhile` is called after each step. Returns how many were cleared away. */
  async function endAll(meanwhile: (steps: number) => Promise<void>, cursor?: string): Promise<number> {
    let { revoked, next } = await store.revokeBatch({ group: null, cursor })
    for (let steps = 1; next !== undefined; steps += 1) {
      const batch = await store.revokeBatch({ group: null, cursor: next })
      revoked += batch.revoked
      next = batch.next
      await meanwhile(steps)
    }
    return revoked
  }

  it('visits all masters once where nothing changes', async () => {
    for (const master of masters) await logIn(await firstSlotOf(master))
    let steps = 0
    const revoked = await endAll(async (now) => {
      steps = now
    })
    expect([revoked, steps]).to.deep.equal([masters.length, masters.length])
  })

  it('visits all masters where the client still knows a server that has left', async () => {
    const gone = { call: () => Promise.reject(new Error('Connection is closed.')) }
    const call = (command: string, ...args: (string | number)[]) => client.call(command, ...args)
    const nodes = () => [gone, ...client.nodes('master')]
    store = new RedisStore({ call, nodes }, { prefix: freshPrefix() })
    for (const master of masters) await logIn(await firstSlotOf(master))
    expect(await endAll(async () => {})).to.equal(masters.length)
  })

  it('is resumed where the process that began it is gone, and spares who began since', async () => {
    for (const master of masters) await logIn(await firstSlotOf(master))
    await store.revokeBatch({ group: null })
    const address = newAddress()
    await store.issue(loginOf(address.handle, address.sessionId))
    expect(await endAll(async () => {}, '')).to.equal(masters.length)
    expect(await endAll(async () => {}, '')).to.equal(0)
    expect(await store.read(address)).to.include({ sessionId: address.sessionId })
  })

  it('clears away who moved to a master that was visited before', async () => {
    const slot = (await firstSlotOf(masterAt(-1))) + moves
    await logIn(slot)
    const revoked = await endAll(async (steps) => {
      if (steps === 1) await move(slot)
    })
    expect(revoked).to.equal(1)
  })

  it(`ends after ${ROUNDS} rounds where slots move all the time`, async () => {
    let steps = 0
    const first = await firstSlotOf(masterAt(-1))
    await endAll(async (now) => {
      steps = now
      await move(first + now)
    })
    expect(steps).to.equal(ROUNDS * masters.length)
  })

  it('clears away the users of masters that are replaced meanwhile', async () => {
    // What a replica has not heard of is lost when it takes over.
    store = new RedisStore(client, { prefix: freshPrefix(), waitReplicas: 1 })
    for (const master of masters) await logIn(await firstSlotOf(master))
    const revoked = await endAll(async (steps) => {
      if (steps > 1) return
      for (const replica of servers.replicas) {
        const own = new Redis(replica.url)
        await own.call('CLUSTER', 'FAILOVER', 'TAKEOVER')
        await until(async () => (await roleOf(replica)) === 'master')
        own.disconnect()
      }
      await until(async () => {
        client.refreshSlotsCache()
        const ports = client.nodes('master').map(({ options }) => options.port)
        return servers.replicas.every(({ port }) => ports.includes(port))
      })
    })
    expect(revoked).to.equal(masters.length)
  })
})
