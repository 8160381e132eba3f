import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { findRedisServer } from './redis-binary.js'
import { follow } from './redis-replica.js'
import { type RedisServer, startRedisServer } from './redis-server.js'
import { until } from './until.js'

/** A primary and its replicas under the watch of Sentinels. */
export interface WatchedRedis {
  readonly name: string
  readonly sentinels: { host: string; port: number }[]
  /** The servers, the first primary first. */
  readonly servers: readonly RedisServer[]
  /** The server that the Sentinels name as the primary. */
  primary(): Promise<RedisServer>
  /** Makes a replica the primary, and resolves when a Sentinel names it. */
  failOver(): Promise<void>
  /**
   * Resolves when each Sentinel knows that one replica is behind another: it asks them every 10 s, and until
   * then it may promote the one that is behind.
   */
  knowsBehind(behind: RedisServer, ahead: RedisServer): Promise<void>
  stop(): Promise<void>
}

export interface WatchedRedisOptions {
  readonly replicas?: number
  readonly sentinels?: number
  /** After how long without an answer a server counts as down, in milliseconds. */
  readonly downAfterMs?: number
  /** Further redis-server arguments. */
  readonly args?: string[]
}

const name = 'main'

export async function startWatchedRedis(options: WatchedRedisOptions = {}): Promise<WatchedRedis> {
  const { replicas = 1, sentinels: sentinelCount = 1, downAfterMs = 500, args = [] } = options
  const start = () => startRedisServer({ args })
  const [primary, ...others] = await Promise.all([start(), ...Array.from({ length: replicas }, start)])
  const servers = [primary, ...others]
  await Promise.all(others.map((replica) => follow(replica, primary)))
  const quorum = Math.floor(sentinelCount / 2) + 1
  const sentinels = await Promise.all(
    Array.from({ length: sentinelCount }, () => startSentinel(primary.port, quorum, downAfterMs)),
  )
  const clients = sentinels.map(({ port }) => {
    const client = new Redis({ port, retryStrategy: () => 20 })
    return client.on('error', () => undefined)
  })
  const count = async (client: Redis, what: string) =>
    ((await client.call('SENTINEL', what, name)) as unknown[]).length
  const portOf = async (client: Redis) =>
    Number(((await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[])[1])
  for (const client of clients) {
    await until(async () => (await portOf(client)) === primary.port)
    await until(async () => (await count(client, 'REPLICAS')) === replicas)
    await until(async () => (await count(client, 'SENTINELS')) === sentinelCount - 1)
  }
  const primaryPort = () => portOf(clients[0] as Redis)
  const offsetOf = async (client: Redis, { port }: RedisServer) => {
    const replicas = ((await client.call('SENTINEL', 'REPLICAS', name)) as string[][]).map(fieldsOf)
    return Number(replicas.find((replica) => replica.port === String(port))?.['slave-repl-offset'])
  }

  return {
    name,
    sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    servers,
    async primary() {
      const port = await primaryPort()
      return servers.find((server) => server.port === port) ?? primary
    },
    async failOver() {
      const before = await primaryPort()
      await until(async () => {
        await clients[0]?.call('SENTINEL', 'FAILOVER', name).catch(() => undefined)
        return (await primaryPort()) !== before
      })
    },
    async knowsBehind(behind, ahead) {
      for (const client of clients) {
        // Redis 6.2 does not know it, and takes its 10 s.
        await client.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', 200).catch(() => undefined)
        await until(async () => (await offsetOf(client, ahead)) > (await offsetOf(client, behind)))
      }
    },
    async stop() {
      for (const client of clients) client.disconnect()
      await Promise.all(sentinels.map((sentinel) => sentinel.stop()))
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

/** A flat list of names and values, as an object. */
function fieldsOf(list: readonly string[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(list.flatMap((field, place) => (place % 2 ? [] : [[field, list[place + 1]]])))
}

async function startSentinel(primaryPort: number, quorum: number, downAfterMs: number) {
  const directory = mkdtempSync(join(tmpdir(), 'weapp-session-sentinel-'))
  const port = await freePort()
  const file = join(directory, 'sentinel.conf')
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${directory}`,
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 5000`,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = spawn(findRedisServer(), [file, '--sentinel'], { stdio: 'ignore' })
  return {
    port,
    async stop() {
      await end(child)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A port that a Redis had until just now. */
async function freePort(): Promise<number> {
  const server = await startRedisServer()
  await server.stop()
  return server.port
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill()
  await exit
}
