/**
 * The part of a Redis client that is used: ioredis 5 and 6 have it. For node-redis:
 * `{ call: (...args) => client.sendCommand(args.map(String)) }`.
 */
export interface RedisClient {
  call(command: string, ...args: (string | number)[]): Promise<unknown>
  /**
   * Gives the connection up and, with true, makes another one. Called when replies no longer belong to their
   * questions, and when a replica replies instead of the primary.
   */
  disconnect?(reconnect: boolean): void
}

/**
 * The part of a Redis Cluster client that is used: `call`, routed by key, and the masters, to visit each of
 * them.
 */
export interface RedisClusterClient extends RedisClient {
  nodes(role: 'master'): RedisClient[]
}

export function isClusterClient(client: RedisClient): client is RedisClusterClient {
  return 'nodes' in client
}

interface UnfitSettings {
  readonly keyPrefix?: string
  readonly role?: string
  readonly db?: unknown
}

/**
 * Refuses what would never work. SCAN returns keys with the client's own prefix, which the client would then
 * add a second time. A client that was made for a database that is not a number, as of the address
 * `redis://host/name`, would use database 0.
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
