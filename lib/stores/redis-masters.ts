import type { Countdown } from '../deadline.js'
import { checkInTime, StoreFailure } from '../sessions/store.js'
import { isClusterClient, type RedisClient, type RedisClusterClient } from './redis-client.js'
import { connectionOf, type RedisConnection } from './redis-connection.js'
import { unexpectedReply } from './redis-lines.js'

/**
 * Returns the connections to the masters by node id. A cluster client lists only the nodes that it is
 * connected to, so this compares the list with that of the cluster.
 */
export async function mastersOf(
  client: RedisClient,
  left: Countdown,
): Promise<ReadonlyMap<string, RedisConnection>> {
  const connection = connectionOf(client)
  if (!isClusterClient(client)) return new Map([['', connection]])
  checkInTime(left())
  const needed = masterIdsIn(await connection.call('CLUSTER', 'SLOTS'))
  checkInTime(left())
  const nodes = client.nodes('master').map(connectionOf)
  const ids = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'MYID')))
  const connected = new Map(nodes.map((node, at) => [String(ids[at]), node]))
  return new Map(
    needed.map((id) => {
      const node = connected.get(id)
      if (!node) throw new StoreFailure('a master of the Redis Cluster is not connected')
      return [id, node]
    }),
  )
}

/** Returns the ids of the masters in a reply to `CLUSTER SLOTS`, sorted. */
export function masterIdsIn(slots: unknown): string[] {
  if (!Array.isArray(slots)) throw unexpectedReply()
  return [...new Set(slots.map((range) => String(range?.[2]?.[2])))].sort()
}

/** Returns the time of the master whose clock is ahead of all others, in microseconds since 1970. */
export async function latestMomentIn(client: RedisClusterClient, left: Countdown): Promise<number> {
  const masters = await mastersOf(client, left)
  checkInTime(left())
  const times = await Promise.all([...masters.values()].map((node) => node.call('TIME')))
  return Math.max(...times.map(microsIn))
}

function microsIn(time: unknown): number {
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : []
  const moment = Number(seconds) * 1_000_000 + Number(micros)
  if (!Number.isSafeInteger(moment)) throw unexpectedReply()
  return moment
}
