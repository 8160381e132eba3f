import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { after, before } from 'mocha'
import type { RedisClusterClient } from '../../lib/stores/redis-client.js'
import { numberInSlot } from './hash-slot.js'
import { freshPrefix } from './redis-client.js'
import { type RedisCluster, startRedisCluster } from './redis-cluster.js'
import { connectMasters, type Master, SlotOnTheMove } from './slot-on-the-move.js'

export type IoredisVersion = 'ioredis 5' | 'ioredis 6'

/** A Redis Cluster for the tests of a describe block that move its slots. */
export interface MovingCluster {
  /** A client of it; one with options is yours to close. */
  client(version: IoredisVersion, options?: { enableAutoPipelining: boolean }): RedisClusterClient
  /** A slot that no test has moved, and its move: to the first or the last of the masters, in the order of their ids. */
  newMove(): { slot: number; move: SlotOnTheMove }
  /** Makes all masters forget all scripts. */
  forgetScripts(): Promise<void>
}

export function aMovingCluster(): MovingCluster {
  let servers: RedisCluster
  let masters: Master[]
  let firstSlot: number
  let clients: Record<IoredisVersion, Cluster | Cluster5>
  let moves = 0

  before(async () => {
    servers = await startRedisCluster()
    masters = await connectMasters(servers.nodes)
    firstSlot = await firstSlotOf(masters[1])
    clients = { 'ioredis 6': new Cluster(servers.nodes), 'ioredis 5': new Cluster5(servers.nodes) }
  })

  after(async () => {
    for (const client of Object.values(clients)) client.disconnect()
    for (const { client } of masters) client.disconnect()
    await servers.stop()
  })

  return {
    client(version, options) {
      if (!options) return clients[version]
      return version === 'ioredis 6'
        ? new Cluster(servers.nodes, options)
        : new Cluster5(servers.nodes, options)
    },
    newMove() {
      moves += 1
      const [first, source, last] = masters
      if (!first || !source || !last) throw new Error('the cluster has too few masters')
      // Neighbours go the same way, so that the map of the cluster stays short.
      const [slot, target] =
        moves % 2 === 0 ? [firstSlot + moves / 2, first] : [firstSlot + 2_500 + (moves - 1) / 2, last]
      return { slot, move: new SlotOnTheMove(slot, source, target, masters) }
    },
    async forgetScripts() {
      await Promise.all(masters.map(({ client }) => client.script('FLUSH')))
    },
  }
}

/** A prefix that no other test uses, with which the mark of all is in the slot. */
export function prefixWithMarkIn(slot: number): string {
  const begin = freshPrefix()
  return `${begin}${numberInSlot(slot, begin, ':all')}:`
}

/** The first slot of a master. */
export async function firstSlotOf(master: Master | undefined): Promise<number> {
  const ranges = (await master?.client.call('CLUSTER', 'SLOTS')) as [
    number,
    number,
    [string, number, string],
  ][]
  const range = ranges.find(([, , [, , id]]) => id === master?.id)
  return range?.[0] ?? Number.NaN
}
