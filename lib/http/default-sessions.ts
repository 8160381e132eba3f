import { createRequire } from 'node:module'
import { createSessions } from '../flows/create-sessions.js'
import type { Sessions } from '../flows/sessions.js'
import { stderrLogger } from '../logger.js'
import type { SessionStore } from '../sessions/store.js'
import { MemoryStore } from '../stores/memory-store.js'
import { type RedisClient, RedisStore } from '../stores/redis-store.js'

type Environment = Readonly<Record<string, string | undefined>>

interface IoredisModule {
  readonly Redis: new (
    url: string,
    options: object,
  ) => RedisClient & {
    on(event: 'error', listener: () => void): void
    disconnect(): void
  }
}

let made: Sessions | undefined

/**
 * The one `Sessions` that `loginRouter()` and `requireSession()` share when they are given none. Made at the first call, from
 * the environment (an empty variable is an absent one):
 *
 * `WEAPP_APPID` and `WEAPP_SECRET` (both needed), `REDIS_URL` (without it sessions live in memory, said once on stderr),
 * `WEAPP_API_BASE`, `WEAPP_LOGIN_DURATION_DAYS`, `WEAPP_SESSION_DURATION_SECONDS` (fractions allowed) and
 * `WEAPP_KEYS` (secrets divided by commas, newest first).
 *
 * Throws a `TypeError` that names the variable when one is missing or wrong.
 *
 * @example
 * process.once('SIGTERM', () => defaultSessions().close())
 */
export function defaultSessions(): Sessions {
  made ??= sessionsFrom(process.env)
  return made
}

/** Makes sessions from environment variables. */
export function sessionsFrom(environment: Environment): Sessions {
  const text = (name: string) => environment[name] || undefined
  const sessionDurationSeconds = numberIn(environment, 'WEAPP_SESSION_DURATION_SECONDS')
  const loginDurationDays = numberIn(environment, 'WEAPP_LOGIN_DURATION_DAYS')
  const baseUrl = text('WEAPP_API_BASE')
  const keys = text('WEAPP_KEYS')
  return createSessions({
    apps: [
      {
        appid: needed(environment, 'WEAPP_APPID'),
        secret: needed(environment, 'WEAPP_SECRET'),
        ...(loginDurationDays !== undefined && { loginDurationDays }),
        ...(sessionDurationSeconds !== undefined && { sessionDurationSeconds }),
      },
    ],
    ...(keys !== undefined && { keys: keys.split(',').map((key) => key.trim()) }),
    ...(baseUrl !== undefined && { wechat: { baseUrl } }),
    store: storeFrom(text('REDIS_URL')),
  })
}

function storeFrom(redisUrl: string | undefined): SessionStore {
  if (redisUrl === undefined) {
    stderrLogger.warn('REDIS_URL is not set, so sessions live in the memory of this process and end with it')
    return new MemoryStore()
  }
  const { Redis } = loadIoredis()
  const client = new Redis(redisUrl, { maxRetriesPerRequest: 1 })
  client.on('error', () => undefined) // Each failed command is reported already, and ioredis connects again by itself.
  const store = new RedisStore(client)
  return Object.assign(store, { close: async () => client.disconnect() })
}

/** Loaded only here: who passes in a client of another make need not have ioredis. */
function loadIoredis(): IoredisModule {
  try {
    return createRequire(import.meta.url)('ioredis') as IoredisModule
  } catch (cause) {
    throw new TypeError('REDIS_URL is set, but the package "ioredis" is not installed: npm install ioredis', {
      cause,
    })
  }
}

function needed(environment: Environment, name: string): string {
  const value = environment[name]
  if (value) return value
  throw new TypeError(
    `${name} is not set: set it in the environment, or pass { sessions: createSessions({ … }) }`,
  )
}

function numberIn(environment: Environment, name: string): number | undefined {
  const text = environment[name]
  if (!text) return undefined
  const number = Number(text)
  if (number > 0 && Number.isFinite(number)) return number
  throw new TypeError(`${name} must be a number above 0`)
}
