import { createSessions } from '../flows/create-sessions.js'
import type { Sessions } from '../flows/sessions.js'
import type { SessionsOptions } from '../flows/sessions-options.js'
import { stderrLogger } from '../logger.js'
import { type AppInfo, appidOption, secretOption } from '../sessions/app-info.js'
import type { SessionStore } from '../sessions/store.js'
import { MemoryStore } from '../stores/memory-store.js'
import { redisSettings } from '../stores/redis-settings.js'
import { RedisStore } from '../stores/redis-store.js'
import loadIoredis from './ioredis.cjs'

type Environment = Readonly<Record<string, string | undefined>>

/** The options that {@link optionsFromEnvironment} returns. */
export type EnvironmentOptions = Pick<SessionsOptions, 'apps' | 'keys' | 'wechat'>

/** The variable for the option that an error of `createSessions` names. */
const VARIABLES: Readonly<Record<string, string>> = {
  'apps names': 'WEAPP_APPID names',
  'apps[0].loginDurationDays': 'WEAPP_LOGIN_DURATION_DAYS',
  'apps[0].sessionDurationSeconds': 'WEAPP_SESSION_DURATION_SECONDS',
  'wechat.baseUrl': 'WEAPP_API_BASE',
  keys: 'WEAPP_KEYS',
}

const NOT_SET = 'is not set in the environment'

let shared: Sessions | undefined

/**
 * Returns the `Sessions` that `loginRouter()` and `requireSession()` share when they are given none. Created
 * on the first call, from the environment (an empty variable counts as unset):
 *
 * `WEAPP_APPID` and `WEAPP_SECRET` (both required, several separated by commas), `REDIS_URL` (without it
 * sessions live in memory, which is noted once on stderr), `WEAPP_API_BASE`, `WEAPP_LOGIN_DURATION_DAYS`,
 * `WEAPP_SESSION_DURATION_SECONDS` (fractions allowed) and `WEAPP_KEYS` (secrets separated by commas, newest
 * first).
 *
 * Throws a `TypeError` that names the variable if one is missing or wrong.
 *
 * @example
 * exitOnSignals(gracefulShutdown(server, { sessions: defaultSessions() }))
 */
export function defaultSessions(): Sessions {
  shared ??= sessionsFrom(process.env)
  return shared
}

/**
 * Returns the options that environment variables name, as `defaultSessions` uses them, for sessions of your
 * own: `WEAPP_APPID`, `WEAPP_SECRET`, `WEAPP_LOGIN_DURATION_DAYS` and `WEAPP_SESSION_DURATION_SECONDS` as
 * `apps`, `WEAPP_KEYS` as `keys`, `WEAPP_API_BASE` as `wechat`. Throws a `TypeError` that names the variable.
 *
 * @example
 * createSessions({ ...optionsFromEnvironment(process.env), store, onLogin })
 */
export function optionsFromEnvironment(environment: Environment): EnvironmentOptions {
  const { WEAPP_KEYS: keys, WEAPP_API_BASE: baseUrl } = environment
  return {
    apps: appsFrom(environment),
    ...(keys && { keys: keys.split(',').map((key) => key.trim()) }),
    ...(baseUrl && { wechat: { baseUrl } }),
  }
}

function sessionsFrom(environment: Environment): Sessions {
  try {
    const options = optionsFromEnvironment(environment)
    return createSessions({ ...options, store: storeFrom(environment.REDIS_URL) })
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(inVariables(error.message)) : error
  }
}

function appsFrom(environment: Environment): AppInfo[] {
  const appids = needed(environment, 'WEAPP_APPID').split(',')
  const secrets = needed(environment, 'WEAPP_SECRET').split(',')
  if (secrets.length !== appids.length) {
    throw new TypeError(
      `WEAPP_SECRET must have as many secrets as WEAPP_APPID has AppIDs, separated by commas: ${appids.length}, not ${secrets.length}`,
    )
  }
  const { WEAPP_LOGIN_DURATION_DAYS: days, WEAPP_SESSION_DURATION_SECONDS: seconds } = environment
  return appids.map((appid, index) => ({
    appid: appidOption('WEAPP_APPID', appid),
    secret: secretOption('WEAPP_SECRET', secrets[index]),
    ...(days && { loginDurationDays: Number(days) }),
    ...(seconds && { sessionDurationSeconds: Number(seconds) }),
  }))
}

/** Names the variable instead of the option, and the way to do without. */
function inVariables(message: string): string {
  const named = Object.entries(VARIABLES).reduce(
    (text, [option, variable]) => text.replace(`createSessions: ${option}`, variable),
    message,
  )
  return named.replace(NOT_SET, `${NOT_SET}; or pass { sessions: createSessions({ … }) }`)
}

function storeFrom(redisUrl: string | undefined): SessionStore {
  if (!redisUrl) {
    stderrLogger.warn('REDIS_URL is not set, so sessions live in the memory of this process and end with it')
    return new MemoryStore()
  }
  const address = redisAddress(redisUrl)
  const { Redis } = loadIoredis()
  const client = new Redis(address, redisSettings())
  return Object.assign(new RedisStore(client), { close: async () => client.disconnect() })
}

/** Returns the URL of Redis in the form that ioredis reads in full: it ignores what it cannot parse. */
function redisAddress(redisUrl: string): string {
  const url = URL.canParse(redisUrl) ? new URL(redisUrl) : undefined
  const databases = [url?.pathname.slice(1), ...(url?.searchParams.getAll('db') ?? [])].filter(Boolean)
  const isOdd = url?.searchParams.get('db') === '' || databases.some((db) => !/^\d+$/.test(db ?? ''))
  if (!url || !/^rediss?:$/.test(url.protocol) || isOdd || databases.length > 1) {
    throw new TypeError(
      'REDIS_URL must be a URL such as redis://127.0.0.1:6379, or redis://127.0.0.1:6379/2 for database 2; rediss:// for TLS',
    )
  }
  return url.href
}

function needed(environment: Environment, name: string): string {
  const value = environment[name]
  if (value) return value
  throw new TypeError(`${name} ${NOT_SET}`)
}
