import { generateKeyPairSync } from 'node:crypto'
import { Redis } from 'ioredis'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { AppServer, type AppSettings } from './app-server.js'
import { FaultProxy } from './fault-proxy.js'
import type { Model } from './model.js'

/** A back end of two app servers, what it needs, and the network between it and Redis. */
export interface World {
  readonly model: Model
  readonly redis: RedisServer
  /** A connection to Redis that no fault of the network meets. */
  readonly control: Redis
  readonly proxy: FaultProxy
  /** WeChat. */
  readonly sandbox: Sandbox
  readonly servers: readonly AppServer[]
  /** The app server that faults end. The other one lives all the time, so that what it uses can be compared. */
  readonly mortal: AppServer
  close(): Promise<void>
}

export async function openWorld(model: Model): Promise<World> {
  const redis = await startRedisServer({ keepData: true })
  const control = new Redis(redis.url, { retryStrategy: () => 50 })
  control.on('error', () => undefined)
  const proxy = new FaultProxy(redis.port)
  await proxy.listen()
  const sandbox = await createSandbox()
  const settings: AppSettings = {
    ...sandbox.app,
    wechatUrl: sandbox.url,
    redisPort: proxy.port,
    tokenKey: String(
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    ),
  }
  const onCrash = (name: string, code: number | null) => model.wrong(`${name} has crashed with ${code}`)
  const lasting = new AppServer('app server 1', settings, onCrash)
  const mortal = new AppServer('app server 2', settings, onCrash)
  const servers = [lasting, mortal]
  await Promise.all(servers.map((server) => server.start()))

  return {
    model,
    redis,
    control,
    proxy,
    sandbox,
    servers,
    mortal,
    async close() {
      await Promise.all(servers.map((server) => server.end('SIGKILL')))
      control.disconnect()
      await proxy.close()
      await sandbox.close()
      await redis.stop()
    },
  }
}
