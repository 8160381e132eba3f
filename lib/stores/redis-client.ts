/**
 * The part of a Redis client that is used. ioredis 5 and 6 have it; node-redis becomes one by `{ call:
 * (...args) => client.sendCommand(args.map(String)), disconnect }`: `docs/storage.md` has its `disconnect`.
 */
export interface RedisClient {
  call(command: string, ...args: (string | number)[]): Promise<unknown>
  /**
   * Disconnects and, with true, connects again. Called when replies belong to other commands, when a replica
   * replies in place of the primary, and when nothing comes back any more. Without it, a connection that is
   * dead without having been closed is not replaced.
   */
  disconnect?(reconnect: boolean): void
}

/** The part of a Redis Cluster client that is used: `call`, routed by key, and a client for each master. */
export interface RedisClusterClient extends RedisClient {
  nodes(role: 'master'): RedisClient[]
}

/** A connection of its own, made like that of another client. */
export interface SubscribingClient extends RedisClient {
  connect(): Promise<unknown>
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** A client that reports its state and opens further connections, as those of ioredis do. */
export interface DuplicableClient extends RedisClient {
  readonly status?: string
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
  duplicate(settings: object): SubscribingClient
}

/** The outcome of a command: an error or null, and what it returns. */
export type Reply = readonly [Error | null, unknown]

/** A client that sends several commands on one connection, one after the other, as those of ioredis do. */
export interface PipeliningClient extends RedisClient {
  readonly status?: string
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
  /** With settings in place of its own; of a Cluster behind a list of servers, which is empty for its own. */
  duplicate(...settings: object[]): PipeliningClient
  pipeline(commands: unknown[][]): { exec(): Promise<Reply[] | null> }
}

export function isPipelining(client: RedisClient): client is PipeliningClient {
  const { duplicate, pipeline, on, off } = client as Partial<PipeliningClient>
  return [duplicate, pipeline, on, off].every((method) => typeof method === 'function')
}

export function isDuplicable(client: RedisClient): client is DuplicableClient {
  const { duplicate, on, off } = client as Partial<DuplicableClient>
  return [duplicate, on, off].every((method) => typeof method === 'function')
}

export function isClusterClient(client: RedisClient): client is RedisClusterClient {
  return 'nodes' in client
}

/** Opens another connection. Commands wait until it is open. */
export function duplicateOf(client: PipeliningClient): PipeliningClient {
  const settings = { enableOfflineQueue: true }
  return isClusterClient(client) ? client.duplicate([], settings) : client.duplicate(settings)
}

/** The settings of an ioredis client that matter to more than itself. */
interface ClientSettings {
  readonly socketTimeout?: unknown
  readonly redisOptions?: { readonly socketTimeout?: unknown }
  readonly natMap?: ((address: string) => Address | null) | Readonly<Record<string, Address>>
  readonly host?: unknown
  readonly port?: unknown
}

interface Address {
  readonly host: string
  readonly port: number
}

function settingsOf(client: RedisClient): ClientSettings {
  return (client as { options?: ClientSettings }).options ?? {}
}

/**
 * After how long without a reply the client itself gives up a connection, in milliseconds; Infinity where it
 * does not.
 */
export function socketTimeoutMsOf(client: RedisClient): number {
  const { socketTimeout, redisOptions } = settingsOf(client)
  return Number(redisOptions?.socketTimeout ?? socketTimeout) || Number.POSITIVE_INFINITY
}

/** The address at which a client reaches a server that calls itself so. */
export function addressFor(client: RedisClient, host: string, port: number): Address {
  const { natMap } = settingsOf(client)
  const name = `${host}:${port}`
  return (typeof natMap === 'function' ? natMap(name) : natMap?.[name]) ?? { host, port }
}

/** Whether a client is that of the server at an address. */
export function isAt(node: RedisClient, { host, port }: Address): boolean {
  const settings = settingsOf(node)
  return settings.host === host && Number(settings.port) === Number(port)
}

export function refuseUnfitClient(client: object): void {
  const { options } = client as {
    options?: { keyPrefix?: string; role?: string; db?: unknown; redisOptions?: { keyPrefix?: string } }
  }
  // SCAN returns keys with this prefix, and the client would add it again.
  if (options?.keyPrefix || options?.redisOptions?.keyPrefix) {
    throw new TypeError(
      'RedisStore does not support a keyPrefix of the client: use new RedisStore(client, { prefix })',
    )
  }
  if (options?.role === 'slave') {
    throw new TypeError(
      `RedisStore writes, so the client must not ask Sentinel for a replica: leave out role: 'slave'`,
    )
  }
  // ioredis uses database 0 for what is not a number, such as redis://host/name.
  const db = options?.db ?? 0
  if (!Number.isInteger(db) || Number(db) < 0) {
    throw new TypeError(
      'RedisStore: the database of the client must be a whole number, such as 2 in redis://host/2',
    )
  }
}
