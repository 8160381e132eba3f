import type { Agent } from 'node:http'
import { type Clock, systemClock } from '../clock.js'
import { type Logger, loggerOption } from '../logger.js'
import {
  booleanOption,
  checkOptionNames,
  httpAddress,
  type OptionNames,
  objectWithMethods,
  oneOf,
  optionalFunction,
  positiveInteger,
  positiveNumber,
} from '../options.js'
import { type AppInfo, MOST_SESSIONS } from '../sessions/app-info.js'
import { type Apps, createApps } from '../sessions/apps.js'
import { checkSecrets, createKeyRing, type KeyRing } from '../sessions/key-ring.js'
import type { SessionCap } from '../sessions/session-issuer.js'
import type { SessionStore } from '../sessions/store.js'
import type { UserInfoRules } from '../sessions/user-info.js'
import { DEFAULT_CONCURRENT_CALLS } from '../wechat/call-slots.js'
import { agentOption } from '../wechat/transport.js'
import { DEFAULT_TIMEOUT_MS } from '../wechat/wechat-api.js'
import type { AccessTokenProvider } from './access-tokens.js'
import type { OnConfirm, OnLogin, OnUserInfo } from './hooks.js'
import type { OnLoginRefused } from './refused-logins.js'

const MOST_TIMEOUT_MS = 60_000
const MOST_CONCURRENT_CALLS = 10_000
const MOST_TOUCH_SHARE = 0.5
const STORE_METHODS: OptionNames<Omit<SessionStore, 'close'>> = {
  read: true,
  readUser: true,
  issue: true,
  touch: true,
  revoke: true,
  revokeUser: true,
  writeUserInfo: true,
  rewrite: true,
  readValue: true,
  replaceValue: true,
  addToValue: true,
  revokeBatch: true,
  ping: true,
}

/** How WeChat is called. */
export interface WechatOptions {
  /** The address of its API. Default `https://api.weixin.qq.com`; a sandbox's `url` in tests. */
  baseUrl?: string
  /** The deadline of each call with its retries, in whole milliseconds. Default 5000. */
  timeoutMs?: number
  /**
   * The Agent of `node:http` or `node:https` for the connections, such as the `HttpsProxyAgent` of a forward
   * proxy. You close it. Default: an Agent of its own.
   */
  agent?: Agent
  /**
   * How many calls may be in flight at once in this process; 8 times as many wait for their turn within their
   * deadline, and others are `ERR_WECHAT_BUSY`. Those of one app to one API take at most 7/8 of both. Default
   * 128.
   */
  maxConcurrentCalls?: number
}

/** Options of {@link createSessions}. */
export interface SessionsOptions {
  /** The mini-programs that log in here, one or more. */
  apps: readonly AppInfo[]
  /** Where sessions live: a `RedisStore`, a `MemoryStore` or your own. */
  store: SessionStore
  /**
   * Secrets that encrypt at rest and name users in the store, 32 characters or more each, newest first.
   * Default: the AppSecrets.
   */
  keys?: readonly string[]
  /** How many sessions a user of an app may have at once. Default 10. */
  maxSessionsPerUser?: number
  /**
   * What one more login does: `'end-oldest'` ends the user's oldest session, `'refuse'` throws
   * `ERR_SESSION_LIMIT`. Default `'end-oldest'`.
   */
  onLimit?: 'end-oldest' | 'refuse'
  /**
   * A visit is written when this share of the session duration has passed since the last one that was. The
   * session may end early by as much. Above 0, at most 0.5. Default 0.02.
   */
  touchShare?: number
  /** The deadline of each call to the store, in whole milliseconds. Default 1000. */
  storeTimeoutMs?: number
  /** How WeChat is called. */
  wechat?: WechatOptions
  /**
   * Provides access tokens, for teams that have a token server; called each time, within `wechat.timeoutMs`.
   * Default: tokens are fetched from WeChat, and shared by all processes through the store.
   */
  accessTokenProvider?: AccessTokenProvider
  /** Called before a session is issued; returns `session.data`, or throws a `WeappError` to refuse. */
  onLogin?: OnLogin
  /** Called for each login that is refused with a status of 4xx; nobody waits for it. At most 5 seconds. */
  onLoginRefused?: OnLoginRefused
  /** Called before a profile is changed, also by a login; refuses by a `WeappError`. At most 5 seconds. */
  onUserInfo?: OnUserInfo
  /**
   * Judges what `POST /session/confirmation` and `sessions.confirm` bring, such as a password. At most 5
   * seconds. Default: the code of the phone number button confirms.
   */
  onConfirm?: OnConfirm
  /**
   * Whether addresses in a profile, such as `avatarUrl`, may lead to this machine or its network:
   * `http://127.0.0.1/…`. For development. Default false.
   */
  allowPrivateAddresses?: boolean
  /** Gets the few lines for the operator. Default: stderr. */
  logger?: Logger
  /** The time of this process, for what the clock of the store does not tell. Default: `Date.now`. */
  clock?: Clock
}

const OPTION_NAMES: OptionNames<SessionsOptions> = {
  apps: true,
  store: true,
  keys: true,
  maxSessionsPerUser: true,
  onLimit: true,
  touchShare: true,
  storeTimeoutMs: true,
  wechat: true,
  accessTokenProvider: true,
  onLogin: true,
  onLoginRefused: true,
  onUserInfo: true,
  onConfirm: true,
  allowPrivateAddresses: true,
  logger: true,
  clock: true,
}

export interface SessionsSettings {
  readonly apps: Apps
  readonly store: SessionStore
  readonly storeTimeoutMs: number
  readonly keyRing: KeyRing
  readonly cap: SessionCap
  readonly wechat: {
    readonly baseUrl: URL
    readonly timeoutMs: number
    readonly agent: Agent | undefined
    readonly maxConcurrentCalls: number
  }
  readonly accessTokenProvider: AccessTokenProvider | undefined
  readonly onLogin: OnLogin | undefined
  readonly onLoginRefused: OnLoginRefused | undefined
  readonly onUserInfo: OnUserInfo | undefined
  readonly onConfirm: OnConfirm | undefined
  readonly profileRules: UserInfoRules
  readonly logger: Logger
  readonly clock: Clock
}

export function readSessionsOptions(options: SessionsOptions): SessionsSettings {
  checkOptionNames<SessionsOptions>('createSessions', options, OPTION_NAMES)
  const {
    touchShare = 0.02,
    storeTimeoutMs = 1000,
    maxSessionsPerUser = 10,
    onLimit = 'end-oldest',
  } = options
  const { store, keys, clock = systemClock } = options
  checkSecrets(named('keys'), keys)
  const apps = createApps(
    named('apps'),
    options.apps,
    positiveNumber(named('touchShare'), touchShare, MOST_TOUCH_SHARE),
  )
  return {
    apps,
    store: objectWithMethods(
      named('store'),
      store,
      Object.keys(STORE_METHODS),
      'a SessionStore such as RedisStore',
    ),
    storeTimeoutMs: positiveInteger(named('storeTimeoutMs'), storeTimeoutMs, MOST_TIMEOUT_MS),
    keyRing: createKeyRing(keys, apps.all),
    cap: {
      maxSessionsPerUser: positiveInteger(named('maxSessionsPerUser'), maxSessionsPerUser, MOST_SESSIONS),
      onLimit: oneOf(named('onLimit'), onLimit, ['end-oldest', 'refuse'] as const),
    },
    wechat: readWechatOptions(options.wechat ?? {}),
    accessTokenProvider: optionalFunction(named('accessTokenProvider'), options.accessTokenProvider),
    onLogin: optionalFunction(named('onLogin'), options.onLogin),
    onLoginRefused: optionalFunction(named('onLoginRefused'), options.onLoginRefused),
    onUserInfo: optionalFunction(named('onUserInfo'), options.onUserInfo),
    onConfirm: optionalFunction(named('onConfirm'), options.onConfirm),
    profileRules: {
      allowPrivateAddresses: booleanOption(
        named('allowPrivateAddresses'),
        options.allowPrivateAddresses ?? false,
      ),
    },
    logger: loggerOption(named('logger'), options.logger),
    clock: optionalFunction(named('clock'), clock),
  }
}

function readWechatOptions(options: WechatOptions): SessionsSettings['wechat'] {
  checkOptionNames<WechatOptions>(named('wechat'), options, {
    baseUrl: true,
    timeoutMs: true,
    agent: true,
    maxConcurrentCalls: true,
  })
  const { baseUrl: address = 'https://api.weixin.qq.com', timeoutMs = DEFAULT_TIMEOUT_MS, agent } = options
  const baseUrl = httpAddress(named('wechat.baseUrl'), address)
  return {
    baseUrl,
    timeoutMs: positiveInteger(named('wechat.timeoutMs'), timeoutMs, MOST_TIMEOUT_MS),
    agent: agentOption(named('wechat.agent'), agent, baseUrl),
    maxConcurrentCalls: positiveInteger(
      named('wechat.maxConcurrentCalls'),
      options.maxConcurrentCalls ?? DEFAULT_CONCURRENT_CALLS,
      MOST_CONCURRENT_CALLS,
    ),
  }
}

function named(option: string): string {
  return `createSessions: ${option}`
}
