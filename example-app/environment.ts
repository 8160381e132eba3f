import { Redis } from 'ioredis'
import {
  appsFromEnvironment,
  createSessions,
  MemoryStore,
  RedisStore,
  type Sessions,
  type SessionsOptions,
} from 'weapp-session'
import type { Sandbox } from 'weapp-session/sandbox'
import { type Lifetimes, openShowcase, type Showcase } from './showcase/showcase.js'
import { tracedStore } from './showcase/traced-store.js'
import { openUsers, type Users } from './users.js'

/** On the sandbox the two clocks differ, so that the page can show both. */
const SHOWN_LIFETIMES: Lifetimes = { loginDurationDays: 30, sessionDurationSeconds: 7 * 86_400 }

/** What the example app runs on: real credentials and Redis where the environment names them, else the sandbox and memory. */
export interface Runtime {
  readonly sessions: Sessions
  readonly port: number
  /** Where to listen; undefined: everywhere. */
  readonly host: string | undefined
  readonly users: Users
  /** The fake WeChat and the page on top of it; undefined with real credentials. */
  readonly showcase: Showcase | undefined
  close(): Promise<void>
}

/** Reads the environment. Throws a `TypeError` that names the variable when one is wrong. */
export async function readEnvironment(env: NodeJS.ProcessEnv): Promise<Runtime> {
  const port = readPort(env.PORT)
  const users = openUsers(env.DATABASE || databaseBeside(env))
  const showcase = env.WEAPP_APPID ? undefined : await readShowcase(env)
  // Gives a command up after one reconnection: a request then gets its 503, and nothing queues up while Redis is away.
  const redis = env.REDIS_URL ? new Redis(env.REDIS_URL, { maxRetriesPerRequest: 1 }) : undefined
  const clock = showcase?.clock ?? Date.now
  const store = redis ? new RedisStore(redis, showcase && { clock }) : new MemoryStore({ clock })
  const sessions = createSessions({
    apps: showcase ? [showcase.app] : appsFromEnvironment(env),
    onLogin: users.onLogin,
    onUserInfo: users.onUserInfo,
    clock,
    store: showcase ? tracedStore(store) : store,
    // On the sandbox pictures lie on this machine.
    allowPrivateAddresses: showcase !== undefined,
    ...(env.WEAPP_KEYS && { keys: env.WEAPP_KEYS.split(',').map((key) => key.trim()) }),
    ...readWechat(env, showcase?.sandbox),
  })
  return {
    sessions,
    port,
    // The levers of the page are for whoever sits at this machine.
    host: env.HOST || (showcase && '127.0.0.1'),
    users,
    showcase,
    async close() {
      await sessions.close()
      redis?.disconnect()
      users.close()
      await showcase?.close()
    },
  }
}

/**
 * Users are to be kept as long as their sessions. Those of the fake WeChat end with the process, also in Redis, as the next one has
 * another app.
 */
function databaseBeside(env: NodeJS.ProcessEnv): string {
  return env.WEAPP_APPID && env.REDIS_URL ? 'example-app.sqlite' : ':memory:'
}

function readShowcase(env: NodeJS.ProcessEnv): Promise<Showcase> {
  return openShowcase({ ...SHOWN_LIFETIMES, ...readLifetimes(env) }, env.REDIS_URL ? 'redis' : 'memory')
}

function readLifetimes(env: NodeJS.ProcessEnv): Partial<Lifetimes> {
  return {
    ...(env.WEAPP_LOGIN_DURATION_DAYS && { loginDurationDays: Number(env.WEAPP_LOGIN_DURATION_DAYS) }),
    ...(env.WEAPP_SESSION_DURATION_SECONDS && {
      sessionDurationSeconds: Number(env.WEAPP_SESSION_DURATION_SECONDS),
    }),
  }
}

function readWechat(env: NodeJS.ProcessEnv, sandbox: Sandbox | undefined): Pick<SessionsOptions, 'wechat'> {
  const baseUrl = sandbox?.url ?? env.WEAPP_API_BASE
  return baseUrl ? { wechat: { baseUrl } } : {}
}

function readPort(text: string | undefined): number {
  const port = Number(text || 3000)
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port
  throw new TypeError('PORT must be a whole number from 0 to 65535')
}
