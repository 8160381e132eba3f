import { Redis } from 'ioredis'
import { createSessions, MemoryStore, optionsFromEnvironment, RedisStore, redisSettings } from 'weapp-session'
import { type AppRuntime, readPort } from './app-runtime.js'
import { openSandboxRuntime } from './sandbox-runtime.js'
import { buildPage } from './showcase/page-files.js'
import { readSources } from './showcase/sources.js'
import { openUsers, type Users } from './users.js'

/** What the example app runs on: real credentials and Redis if configured, else the sandbox and memory. */
export interface Runtime extends AppRuntime {
  readonly users: Users
}

/** Reads the environment. Throws a `TypeError` that names the first invalid variable. */
export async function readEnvironment(env: NodeJS.ProcessEnv): Promise<Runtime> {
  const port = readPort(env)
  const users = openUsers(env.DATABASE || databaseBeside(env))
  const hooks = { onLogin: users.onLogin, onUserInfo: users.onUserInfo }
  const redis = env.REDIS_URL ? new Redis(env.REDIS_URL, redisSettings()) : undefined
  const openStore = (clock?: () => number) =>
    redis ? new RedisStore(redis, clock && { clock }) : new MemoryStore(clock && { clock })

  async function openRuntime(): Promise<AppRuntime> {
    const store = redis ? 'redis' : 'memory'
    if (!env.WEAPP_APPID) {
      const [files, sources] = await Promise.all([buildPage(), readSources(store)])
      return openSandboxRuntime(env, { hooks, store, openStore, files, sources })
    }
    const sessions = createSessions({ ...optionsFromEnvironment(env), ...hooks, store: openStore() })
    return { sessions, port, host: env.HOST || undefined, showcase: undefined, close: () => sessions.close() }
  }

  const runtime = await openRuntime()
  return {
    ...runtime,
    users,
    async close() {
      await runtime.close()
      redis?.disconnect()
      users.close()
    },
  }
}

/**
 * Users are kept as long as their sessions. Those of the fake WeChat are lost with the process, even in
 * Redis, as the next process has another AppID.
 */
function databaseBeside(env: NodeJS.ProcessEnv): string {
  return env.WEAPP_APPID && env.REDIS_URL ? 'example-app.sqlite' : ':memory:'
}
