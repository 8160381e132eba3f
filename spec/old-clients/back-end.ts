import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { createApp } from '../../example-app/app.js'
import { openUsers } from '../../example-app/users.js'
import { createSessions, RedisStore, type Sessions, type SessionsOptions } from '../../lib/index.js'
import { createSandbox, type Phone, type Sandbox } from '../../sandbox/index.js'
import { type TestClock, testClock } from '../support/clock.js'
import { freshPrefix } from '../support/redis-client.js'
import { sharedRedis } from '../support/shared-redis.js'
import { runMiniProgramOn } from './old-clients.js'

const DAY_MS = 86_400_000
const LOGIN_DAYS = 30
const IDLE_DAYS = 7

export const EXCHANGE = '/sns/jscode2session'
export const WX_LOGIN = '/sandbox/login'

export interface BackEndOptions extends Partial<Pick<SessionsOptions, 'maxSessionsPerUser' | 'onLimit'>> {
  /** How many apps log in here. Default 1. */
  apps?: number
}

/** A server on a free port of this machine. */
export interface Listener {
  readonly url: string
  /** The requests that came, as `GET /me`. */
  readonly requests: string[]
  /** Called with each of them before it is answered. */
  onRequest: (request: string) => void
  close(): Promise<void>
}

/** The example app on a fake WeChat and the shared Redis, and a phone in the user's hand. */
export interface BackEnd extends Omit<Listener, 'onRequest'> {
  readonly sandbox: Sandbox
  readonly sessions: Sessions
  readonly phone: Phone
  /** How many codes WeChat was asked to exchange. */
  exchanges(): number
  /** Lets so much time pass that a session ends for want of a visit. */
  passIdleTime(): void
  /** Lets time pass up to the absolute end of a session, which `visit` keeps from ending earlier. */
  passLoginTime(visit: () => Promise<unknown>): Promise<void>
  /** From now on a session has ended when the next request to this path comes. */
  endSessionsBefore(path: string): void
  /** Ends all sessions of the phone's user, as an operator may. */
  endSessions(): Promise<number>
  loseRedis(): Promise<void>
  findRedis(): Promise<void>
}

export async function openBackEnd(options: BackEndOptions = {}): Promise<BackEnd> {
  const { apps: appCount = 1, ...rest } = options
  const apps = Array.from({ length: appCount }, (_, index) => ({
    appid: `wx${String(index + 1).repeat(16)}`,
    secret: `${index + 1}`.repeat(32),
    loginDurationDays: LOGIN_DAYS,
    sessionDurationSeconds: (IDLE_DAYS * DAY_MS) / 1000,
  }))
  const clock: TestClock = testClock()
  const sandbox = await createSandbox({ apps, clock })
  const redis = new Redis((await sharedRedis()).url)
  const users = openUsers(':memory:')
  const sessions = createSessions({
    ...rest,
    apps,
    clock,
    onLogin: users.onLogin,
    onUserInfo: users.onUserInfo,
    store: new RedisStore(redis, { prefix: freshPrefix(), clock }),
    wechat: { baseUrl: sandbox.url },
    logger: { warn: () => undefined, error: () => undefined },
  })
  const listener = await listen(createApp({ sessions, users }))
  const phone = sandbox.phone()
  runMiniProgramOn(phone.wx)
  const passIdleTime = () => clock.advance(IDLE_DAYS * DAY_MS)

  return {
    url: listener.url,
    requests: listener.requests,
    sandbox,
    sessions,
    phone,
    exchanges: () => sandbox.callCount(EXCHANGE),
    passIdleTime,
    async passLoginTime(visit) {
      const end = clock.now + LOGIN_DAYS * DAY_MS
      for (; clock.now < end - DAY_MS; clock.advance(DAY_MS)) await visit()
      clock.set(end)
    },
    endSessionsBefore(path) {
      listener.onRequest = (request) => {
        if (request.endsWith(` ${path}`)) passIdleTime()
      }
    },
    endSessions: () => sessions.revokeUser({ appid: phone.appid, openid: phone.openid }),
    async loseRedis() {
      const end = once(redis, 'end')
      redis.disconnect()
      await end
    },
    findRedis: () => redis.connect(),
    async close() {
      runMiniProgramOn(undefined)
      await listener.close()
      await sessions.close()
      redis.disconnect()
      users.close()
      await sandbox.close()
    },
  }
}

/** Serves an app on a free port. */
export async function listen(app: RequestListener): Promise<Listener> {
  const server: Server = createServer()
  const requests: string[] = []
  const listener: Listener = {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    },
    requests,
    onRequest: () => undefined,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  server.on('request', ({ method, url }) => {
    requests.push(`${method} ${url}`)
    listener.onRequest(`${method} ${url}`)
  })
  server.on('request', app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return listener
}
