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

/** A primary and a replica under the watch of a Sentinel. */
export interface WatchedRedis {
  readonly name: string
  readonly sentinels: { host: string; port: number }[]
  /** The servers, the first primary first. */
  readonly servers: readonly RedisServer[]
  /** Makes the replica the primary, and resolves when the Sentinel names it. */
  failOver(): Promise<void>
  stop(): Promise<void>
}

const name = 'main'

export async function startWatchedRedis(): Promise<WatchedRedis> {
  const servers = await Promise.all([startRedisServer(), startRedisServer()])
  const [primary, replica] = servers
  await follow(replica, primary)
  const directory = mkdtempSync(join(tmpdir(), 'weapp-session-sentinel-'))
  const port = await freePort()
  const file = join(directory, 'sentinel.conf')
  writeFileSync(
    file,
    `bind 127.0.0.1\nport ${port}\ndir ${directory}\nsentinel monitor ${name} 127.0.0.1 ${primary.port} 1\nsentinel down-after-milliseconds ${name} 500\nsentinel failover-timeout ${name} 5000\n`,
  )
  const child = spawn(findRedisServer(), [file, '--sentinel'], { stdio: 'ignore' })
  const sentinel = new Redis({ port, retryStrategy: () => 20 })
  sentinel.on('error', () => undefined)
  const primaryPort = async () =>
    Number(((await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)) as string[])[1])
  await until(async () => (await primaryPort()) === primary.port)
  await until(async () => ((await sentinel.call('SENTINEL', 'REPLICAS', name)) as unknown[]).length === 1)

  return {
    name,
    sentinels: [{ host: '127.0.0.1', port }],
    servers,
    async failOver() {
      const before = await primaryPort()
      await until(async () => {
        await sentinel.call('SENTINEL', 'FAILOVER', name).catch(() => undefined)
        return (await primaryPort()) !== before
      })
    },
    async stop() {
      sentinel.disconnect()
      await end(child)
      rmSync(directory, { recursive: true, force: true })
      await Promise.all(servers.map((server) => server.stop()))
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
