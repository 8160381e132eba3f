import { Redis } from 'ioredis'
import { createSessions, MemoryStore, RedisStore, type Sessions, type SessionsOptions } from 'weapp-session'
import { createSandbox, type Sandbox } from 'weapp-session/sandbox'
import { openUsers, type Users } from './users.js'

/** What the example app runs on: real credentials and Redis where the environment names them, else the sandbox and memory. */
export interface Surroundings {
  readonly sessions: Sessions
  readonly port: number
  readonly users: Users
  /** The fake WeChat; undefined with real credentials. */
  readonly sandbox: Sandbox | undefined
  close(): Promise<void>
}

/** Reads the environment. Throws a `TypeError` that names the variable when one is wrong. */
export async function readEnvironment(env: NodeJS.ProcessEnv): Promise<Surroundings> {
  const port = readPort(env.PORT)
  const redis = env.REDIS_URL ? connectRedis(env.REDIS_URL) : undefined
  const users = openUsers(env.DATABASE || ':memory:')
  const sandbox = env.WEAPP_APPID ? undefined : await createSandbox()
  const sessions = createSessions({
    apps: readApps(env, sandbox),
    onLogin: users.onLogin,
    onUserInfo: users.onUserInfo,
    store: redis ? new RedisStore(redis) : new MemoryStore(),
    ...(env.WEAPP_KEYS && { keys: env.WEAPP_KEYS.split(',').map((key) => key.trim()) }),
    ...readWechat(env, sandbox),
  })
  return {
    sessions,
    port,
    users,
    sandbox,
    async close() {
      await sessions.close()
      redis?.disconnect()
      users.close()
      await sandbox?.close()
    },
  }
}

/** Several apps are divided by commas, in both variables; the first is app 1 for clients that name their app by number. */
function readApps(env: NodeJS.ProcessEnv, sandbox: Sandbox | undefined): SessionsOptions['apps'] {
  const secrets = (env.WEAPP_SECRET ?? '').split(',')
  const real = (env.WEAPP_APPID ?? '')
    .split(',')
    .map((appid, index) => ({ appid, secret: secrets[index] ?? '' }))
  return (sandbox?.apps ?? real).map((app) => ({
    ...app,
    ...(env.WEAPP_LOGIN_DURATION_DAYS && { loginDurationDays: Number(env.WEAPP_LOGIN_DURATION_DAYS) }),
    ...(env.WEAPP_SESSION_DURATION_SECONDS && {
      sessionDurationSeconds: Number(env.WEAPP_SESSION_DURATION_SECONDS),
    }),
  }))
}

function readWechat(env: NodeJS.ProcessEnv, sandbox: Sandbox | undefined): Pick<SessionsOptions, 'wechat'> {
  const baseUrl = sandbox?.url ?? env.WEAPP_API_BASE
  return baseUrl ? { wechat: { baseUrl } } : {}
}

/** Gives a command up after one reconnection: a request then gets its 503, and nothing queues up while Redis is away. */
function connectRedis(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 })
  let isDown = false
  redis.on('ready', () => {
    isDown = false
  })
  redis.on('error', () => {
    if (!isDown) process.stderr.write('Redis cannot be reached; connecting again until it answers\n')
    isDown = true
  })
  return redis
}

function readPort(text: string | undefined): number {
  const port = Number(text || 3000)
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port
  throw new TypeError('PORT must be a whole number from 0 to 65535')
}
