import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { createApp } from '../../example-app/app.js'
import { openUsers, type Users } from '../../example-app/users.js'
import { type AppInfo, createSessions, RedisStore, type Sessions } from '../../lib/index.js'
import { createSandbox, type Phone, type Sandbox } from '../../sandbox/index.js'
import { type TestClock, testClock } from './clock.js'
import { freshPrefix } from './redis-client.js'
import { sharedRedis } from './shared-redis.js'

/** The example app on the fake WeChat and the shared Redis, at an address that phones can ask. */
export interface ExampleBed {
  readonly url: string
  readonly sandbox: Sandbox
  readonly clock: TestClock
  readonly sessions: Sessions
  readonly users: Users
  readonly phone: Phone
  /** Every answer that left a server, headers and body, and every line of the log. */
  readonly seen: string[]
  /** Serves another app beside it; answers its address. */
  serve(app: RequestListener): Promise<string>
  /** Closes, and checks that none of these texts left a server or went to the log, nor an AppSecret. */
  closeClean(...secrets: string[]): Promise<void>
}

export async function openExampleBed(...apps: Partial<AppInfo>[]): Promise<ExampleBed> {
  const infos = apps.map((info, index) => ({
    ...info,
    appid: `wx${String(index + 1).repeat(16)}`,
    secret: `${index + 1}`.repeat(32),
  }))
  const clock = testClock()
  const sandbox = await createSandbox({ apps: infos.map(({ appid, secret }) => ({ appid, secret })), clock })
  const redis = new Redis((await sharedRedis()).url)
  const users = openUsers(':memory:')
  const seen: string[] = []
  const write = (line: string) => void seen.push(line)
  const sessions = createSessions({
    apps: infos,
    clock,
    onLogin: users.onLogin,
    onUserInfo: users.onUserInfo,
    allowPrivateAddresses: true,
    store: new RedisStore(redis, { prefix: freshPrefix(), clock }),
    wechat: { baseUrl: sandbox.url, timeoutMs: 1500 },
    logger: { warn: write, error: write },
  })
  const closings: (() => Promise<void>)[] = []

  async function serve(app: RequestListener): Promise<string> {
    const server = createServer((req, res) => {
      const end = res.end.bind(res) as (chunk?: unknown) => typeof res
      res.end = ((chunk?: unknown) => {
        seen.push(`${JSON.stringify(res.getHeaders())} ${chunk ?? ''}`)
        return end(chunk)
      }) as typeof res.end
      app(req, res)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closings.push(async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  return {
    url: await serve(createApp({ sessions, users })),
    sandbox,
    clock,
    sessions,
    users,
    phone: sandbox.phone(),
    seen,
    serve,
    async closeClean(...secrets) {
      for (const close of closings) await close()
      await sessions.close()
      redis.disconnect()
      users.close()
      await sandbox.close()
      const everything = seen.join('\n')
      for (const secret of [...secrets, ...infos.map((app) => app.secret)]) {
        expect(everything).not.to.contain(secret)
      }
    },
  }
}
