import { expect } from 'chai'
import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { RedisStore, type SessionStore } from '../../lib/index.js'
import { failureOf } from '../support/failures.js'
import { numberInSlot } from '../support/hash-slot.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { connectMasters, type Master, SlotOnTheMove } from '../support/slot-on-the-move.js'
import { FIRST, loginOf, NEW, SECOND } from '../support/store-calls.js'

const WITHIN_MS = 5_000
const MOST_WAITING = 4_000

interface ClusterOptions {
  readonly natMap: Record<string, { host: string; port: number }>
}

for (const [version, connect] of [
  ['ioredis 6', (nodes: RedisCluster['nodes'], options?: ClusterOptions) => new Cluster(nodes, options)],
  ['ioredis 5', (nodes: RedisCluster['nodes'], options?: ClusterOptions) => new Cluster5(nodes, options)],
] as const) {
  describe(`RedisStore that waits for replicas in a Cluster, with ${version}`, () => {
    let servers: RedisCluster
    let masters: Master[]
    let client: ReturnType<typeof connect>
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
      client = connect(servers.nodes)
      store = new RedisStore(client, { prefix: freshPrefix(), waitReplicas: 1 })
    })
    afterEach(() => {
      for (const replica of servers.replicas) replica.resume()
      client.disconnect()
    })

    /** A slot that goes from one master to another, and a user in it. */
    async function newMove(): Promise<{ move: SlotOnTheMove; handle: string }> {
      const [first, source] = masters
      if (!first || !source) throw new Error('the cluster has too few masters')
      const slot = (await firstSlotOf(source)) + moves
      moves += 1
      const handle = `user-${numberInSlot(slot, 'user-')}`
      return { move: new SlotOnTheMove(slot, source, first, masters), handle }
    }

    const waits = async () => {
      const stats = await Promise.all(masters.map((master) => master.client.info('commandstats')))
      return stats.map((text) => Number(/cmdstat_wait:calls=(\d+)/.exec(text)?.[1] ?? 0))
    }

    it('waits at the master that has the change', async () => {
      await store.ping()
      for (const master of masters) {
        const handle = `user-${numberInSlot(await firstSlotOf(master), 'user-')}`
        const before = await waits()
        await store.issue(loginOf(handle, FIRST), WITHIN_MS)
        const at = masters.indexOf(master)
        expect((await waits()).map((count, index) => Math.sign(count - (before[index] ?? 0)))).to.deep.equal(
          masters.map((_, index) => (index === at ? 1 : 0)),
        )
      }
    })

    it('fails at the master whose replica does not answer, and at no other', async () => {
      await store.ping()
      const paused = servers.replicas[0]
      const outcomes: boolean[] = []
      paused?.pause()
      for (const { port } of servers.masters) {
        const master = masters.find((each) => each.port === port)
        const handle = `user-${numberInSlot(await firstSlotOf(master), 'user-')}`
        const issuing = store.issue(loginOf(handle, FIRST), 1_000)
        outcomes.push(
          await issuing.then(
            () => true,
            () => false,
          ),
        )
      }
      paused?.resume()
      expect(outcomes).to.deep.equal([false, true, true])
    })

    it(`sends no more than ${MOST_WAITING} changes to a master without its replica, and goes on at the others`, async () => {
      const handles = await Promise.all(
        servers.masters.map(async ({ port }) => {
          const master = masters.find((each) => each.port === port)
          return `user-${numberInSlot(await firstSlotOf(master), 'user-')}`
        }),
      )
      const [alone = '', other = ''] = handles
      await store.issue(loginOf(alone, FIRST), WITHIN_MS)
      servers.replicas[0]?.pause()
      const calls = Array.from({ length: MOST_WAITING + 1 }, () =>
        failureOf(() => store.revokeUser(alone, '', 20_000)),
      )
      expect(String(await Promise.race(calls))).to.include(`${MOST_WAITING} changes wait for the replicas`)
      expect((await store.issue(loginOf(other, FIRST), WITHIN_MS)).state).to.equal('issued')
      servers.replicas[0]?.resume()
      await Promise.allSettled(calls)
    })

    it('follows a user whose slot moves', () => follow(store))

    it('follows a user whose slot moves, where servers have other addresses for the client', async () => {
      const ports = [...servers.masters, ...servers.replicas].map(({ port }) => port)
      const natMap = Object.fromEntries(
        ports.map((port) => [`127.0.0.1:${port}`, { host: 'localhost', port }]),
      )
      const near = connect(servers.nodes, { natMap })
      const own = new RedisStore(near, { prefix: freshPrefix(), waitReplicas: 1 })
      for (let users = 0; users < 8; users += 1) await follow(own)
      near.disconnect()
    })

    async function follow(own: SessionStore): Promise<void> {
      const { move, handle } = await newMove()
      expect((await own.issue(loginOf(handle, FIRST), WITHIN_MS)).state).to.equal('issued')
      await move.begin()
      // Still at the source.
      expect((await own.issue(loginOf(handle, SECOND), WITHIN_MS)).state).to.equal('issued')
      await move.carry()
      // At the target, which has to be asked on purpose.
      expect(await own.revoke({ handle, sessionId: FIRST }, WITHIN_MS)).to.equal(true)
      expect((await own.issue(loginOf(handle, NEW), WITHIN_MS)).state).to.equal('issued')
      await move.finish()
      // The client still looks at the source.
      expect(await own.revokeUser(handle, '', WITHIN_MS)).to.equal(2)
      expect((await own.readUser(handle)).sessions).to.deep.equal([])
    }

    it('waits for the replicas of the target while a slot moves', async () => {
      const { move, handle } = await newMove()
      await store.issue(loginOf(handle, FIRST), WITHIN_MS)
      await move.begin()
      await move.carry()
      const target = servers.masters.findIndex(({ port }) => port === masters[0]?.port)
      servers.replicas[target]?.pause()
      const error = await failureOf(() => store.revoke({ handle, sessionId: FIRST }, 1_000))
      servers.replicas[target]?.resume()
      await move.finish()
      expect(String(error)).to.include('only 0 of 1 replicas have it')
    })
  })
}

async function firstSlotOf(master: Master | undefined): Promise<number> {
  const ranges = (await master?.client.call('CLUSTER', 'SLOTS')) as [
    number,
    number,
    [string, number, string],
  ][]
  return ranges.find(([, , [, , id]]) => id === master?.id)?.[0] ?? Number.NaN
}
