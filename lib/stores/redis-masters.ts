import { hash } from 'node:crypto'
import type { Countdown } from '../deadline.js'
import { checkInTime, StoreFailure } from '../sessions/store.js'
import { isClusterClient, type RedisClient, type RedisClusterClient } from './redis-client.js'
import { connectionOf, type RedisConnection } from './redis-connection.js'
import { unexpectedReply } from './redis-lines.js'

/** The masters of a Cluster, or the one server that there is. */
export interface Masters {
  /** Their connections by node id, in the order of these. */
  readonly connections: ReadonlyMap<string, RedisConnection>
  /** A digest of which of them has which slots. */
  readonly layout: string
}

/**
 * Returns the masters. A cluster client lists only the nodes that it is connected to, so this compares the
 * list with that of the cluster.
 */
export async function mastersOf(client: RedisClient, left: Countdown): Promise<Masters> {
  const connection = connectionOf(client)
  if (!isClusterClient(client)) return { connections: new Map([['', connection]]), layout: '' }
  checkInTime(left())
  const slots = await connection.call('CLUSTER', 'SLOTS')
  const needed = masterIdsIn(slots)
  checkInTime(left())
  const nodes = client.nodes('master').map(connectionOf)
  // The client may still know servers that have left the Cluster.
  const ids = await Promise.allSettled(nodes.map((node) => node.call('CLUSTER', 'MYID')))
  const connected = new Map(
    nodes.flatMap((node, at) => {
      const id = ids[at]
      return id?.status === 'fulfilled' ? [[String(id.value), node] as const] : []
    }),
  )
  const failed = ids.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined
  const connections = needed.map((id) => {
    const node = connected.get(id)
    if (!node) throw failed?.reason ?? new StoreFailure('a master of the Redis Cluster is not connected')
    return [id, node] as const
  })
  return { connections: new Map(connections), layout: layoutIn(slots) }
}

/** Returns the ids of the masters in a reply to `CLUSTER SLOTS`, sorted. */
export function masterIdsIn(slots: unknown): string[] {
  if (!Array.isArray(slots)) throw unexpectedReply()
  return [...new Set(slots.map((range) => String(range?.[2]?.[2])))].sort()
}

/** Each server lists the ranges in an order of its own. */
function layoutIn(slots: unknown): string {
  if (!Array.isArray(slots)) throw unexpectedReply()
  const ranges = slots.map((range) => `${range?.[0]}-${range?.[1]} ${range?.[2]?.[2]}`)
  return hash('sha1', ranges.sort().join())
}

/** Returns the time of the master whose clock is ahead of all others, in microseconds since 1970. */
export async function latestMomentIn(client: RedisClusterClient, left: Countdown): Promise<number> {
  const { connections } = await mastersOf(client, left)
  checkInTime(left())
  const times = await Promise.all([...connections.values()].map((node) => node.call('TIME')))
  return Math.max(...times.map(microsIn))
}

function microsIn(time: unknown): number {
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : []
  const moment = Number(seconds) * 1_000_000 + Number(micros)
  if (!Number.isSafeInteger(moment)) throw unexpectedReply()
  return moment
}
