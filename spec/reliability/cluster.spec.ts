import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, beforeEach, describe, it } from 'mocha'
import { slotOf } from '../support/hash-slot.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { roleOf } from '../support/redis-replica.js'
import type { RedisServer } from '../support/redis-server.js'
import { connectMasters, SlotOnTheMove } from '../support/slot-on-the-move.js'
import { until } from '../support/until.js'
import { type Damage, FailoverLoad } from './failover-load.js'

const NO_DAMAGE: Damage = { lost: 0, revived: 0, wrong: {} }
const MOVES = 20

describe('in a Cluster of three masters with a replica each, with waitReplicas: 1', function () {
  this.timeout(60_000)

  let cluster: RedisCluster
  let load: FailoverLoad

  before(async () => {
    cluster = await startRedisCluster({ withReplicas: true })
    load = await FailoverLoad.start({ redis: { cluster: cluster.nodes }, waitReplicas: 1 })
  })
  beforeEach(async () => {
    load.begin()
    await load.serves()
  })
  after(async () => {
    for (const server of cluster.masters) server.resume()
    await load.close()
    await cluster.stop()
  })

  async function expectNoDamage(): Promise<void> {
    await load.serves()
    await until(() => Math.min(load.acknowledged.alive, load.acknowledged.ended) > 10)
    expect(await load.stop()).to.deep.equal(NO_DAMAGE)
  }

  const becomes = (role: string, server: RedisServer) =>
    until(async () => (await roleOf(server)) === role, 30_000)

  it(`loses and undoes nothing while ${MOVES} slots with users in them move`, async () => {
    const masters = await connectMasters(cluster.nodes)
    const [target, source] = masters
    if (!target || !source) throw new Error('the cluster has too few masters')
    const slots = new Set((await source.client.keys('weapp:{*')).map(slotOf))
    for (const slot of [...slots].slice(0, MOVES)) {
      const move = new SlotOnTheMove(slot, source, target, masters)
      await move.begin()
      await load.serves(3)
      await move.carry()
      await load.serves(3)
      await move.finish()
    }
    for (const { client } of masters) client.disconnect()
    await expectNoDamage()
  })

  it('loses and undoes nothing when the master with the mark of all is killed', async () => {
    const [master, replica] = [cluster.masters[0], cluster.replicas[0]] as [RedisServer, RedisServer]
    await master.kill()
    await becomes('master', replica)
    // As whoever looks after the servers does: the new master needs a replica.
    await master.restart()
    await becomes('slave', master)
    await expectNoDamage()
  })

  it('loses and undoes nothing when a master hangs, and comes back as one that does not know', async () => {
    const [master, replica] = [cluster.masters[1], cluster.replicas[1]] as [RedisServer, RedisServer]
    master.pause()
    await becomes('master', replica)
    master.resume()
    await becomes('slave', master)
    await expectNoDamage()
  })

  it('loses and undoes nothing when a replica takes over without asking its master', async () => {
    const [master, replica] = [cluster.masters[2], cluster.replicas[2]] as [RedisServer, RedisServer]
    const operator = new Redis(replica.url)
    await operator.call('CLUSTER', 'FAILOVER', 'FORCE')
    operator.disconnect()
    await becomes('master', replica)
    await becomes('slave', master)
    await expectNoDamage()
  })
})
