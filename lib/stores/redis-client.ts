import { StoreFailure } from '../sessions/store.js'
import { unexpectedReply } from './redis-lines.js'

/**
 * The part of a Redis client that is used: ioredis 5 and 6 have it. For node-redis:
 * `{ call: (...words) => client.sendCommand(words.map(String)) }`.
 */
export interface RedisClient {
  call(command: string, ...words: (string | number)[]): Promise<unknown>
  /**
   * Gives the connection up and, with true, makes another one. Called when replies no longer belong to their questions, and when a replica
   * answers in place of the primary.
   */
  disconnect?(reconnect: boolean): void
}

/** The part of a Redis Cluster client that is used: `call`, routed by key, and the masters, to visit each of them. */
export interface RedisClusterClient extends RedisClient {
  nodes(role: 'master'): RedisClient[]
}

/** Whether a client is that of a cluster. */
export function isClusterClient(client: RedisClient): client is RedisClusterClient {
  return 'nodes' in client
}

/**
 * The masters by node id; a client that is not one of a cluster stands for itself. A cluster client lists only the nodes it is connected
 * to, so the list is held against what the cluster says of itself: passing over a master would leave sessions in memory.
 */
export async function mastersOf(client: RedisClient): Promise<ReadonlyMap<string, RedisClient>> {
  if (!isClusterClient(client)) return new Map([['', client]])
  const slots = await client.call('CLUSTER', 'SLOTS')
  if (!Array.isArray(slots)) throw unexpectedReply()
  const needed = new Set(slots.map((range) => String(range?.[2]?.[2])))
  const connected = new Map<string, RedisClient>()
  for (const node of client.nodes('master')) connected.set(String(await node.call('CLUSTER', 'MYID')), node)
  return new Map(
    [...needed].sort().map((id) => {
      const node = connected.get(id)
      if (!node) throw new StoreFailure('a master of the Redis Cluster is not connected')
      return [id, node]
    }),
  )
}

/** The latest moment by the clock of any master, in microseconds since 1970. */
export async function latestMomentIn(client: RedisClusterClient): Promise<number> {
  const masters = await mastersOf(client)
  const times = await Promise.all([...masters.values()].map((node) => node.call('TIME')))
  return Math.max(...times.map(microsIn))
}

function microsIn(time: unknown): number {
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : []
  const moment = Number(seconds) * 1_000_000 + Number(micros)
  if (!Number.isSafeInteger(moment)) throw unexpectedReply()
  return moment
}

interface UnfitSettings {
  readonly keyPrefix?: string
  readonly role?: string
  readonly db?: unknown
}

/**
 * Refuses what would never work. SCAN returns keys with the client's own prefix, which the client would then add a second time. A client that
 * was made for a database which is no number, as of the address `redis://host/name`, would use database 0.
 */
export function refuseUnfitClient(client: object): void {
  const { options } = client as { options?: UnfitSettings & { redisOptions?: UnfitSettings } }
  if (options?.keyPrefix || options?.redisOptions?.keyPrefix) {
    throw new TypeError(
      'RedisStore does not work with a keyPrefix of the client: use new RedisStore(client, { prefix })',
    )
  }
  if (options?.role === 'slave') {
    throw new TypeError(
      `RedisStore writes, so the client must not ask Sentinel for a replica: leave out role: 'slave'`,
    )
  }
  const db = options?.db ?? 0
  if (!Number.isInteger(db) || Number(db) < 0) {
    throw new TypeError(
      'RedisStore: the database of the client must be a whole number, such as 2 in redis://host/2',
    )
  }
}
