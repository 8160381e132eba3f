import { type Clock, systemClock } from '../clock.js'
import { WeappError } from '../errors.js'
import { type Logger, stderrLogger } from '../logger.js'
import {
  checkOptionNames,
  type OptionNames,
  objectWithMethods,
  oneOf,
  optionalFunction,
  positiveInteger,
  positiveNumber,
  textOption,
} from '../options.js'
import { type AppInfo, createAppBook } from '../sessions/app-info.js'
import { CodeLedger } from '../sessions/code-ledger.js'
import { guardStore } from '../sessions/guarded-store.js'
import { checkSecrets, createKeyRing } from '../sessions/key-ring.js'
import type { Session, SessionRef, SessionSummary, UserRef } from '../sessions/session.js'
import { SessionBook } from '../sessions/session-book.js'
import type { SessionStore } from '../sessions/store.js'
import { isSessionId } from '../sessions/token.js'
import type { UserInfo } from '../sessions/user-info.js'
import { code2Session } from '../wechat/code2session.js'
import {
  checkSignedData,
  type EncryptedData,
  type OpenData,
  readCiphertext,
  type SignedData,
} from '../wechat/open-data.js'
import { createTransport } from '../wechat/transport.js'
import { type AuthenticateOptions, addressIn, createAuthenticate } from './authenticate.js'
import {
  createLogIn,
  type LoginRequest,
  type LoginResult,
  ON_LOGIN_TIMEOUT_MS,
  type OnLogin,
} from './log-in.js'
import { decryptFor, profileFrom, readUserData, type UserDataRequest, verifyFor } from './user-data.js'

const MOST_TIMEOUT_MS = 60_000
const STORE_METHODS: OptionNames<Omit<SessionStore, 'close'>> = {
  read: true,
  issue: true,
  touch: true,
  remove: true,
  removeUser: true,
  list: true,
  writeUserInfo: true,
  claimCode: true,
  settleCode: true,
  releaseCode: true,
  removeBatch: true,
  ping: true,
}

/** How WeChat is called. */
export interface WechatOptions {
  /** Where its API is. Default `https://api.weixin.qq.com`; a sandbox's `url` in tests. */
  baseUrl?: string
  /** The deadline of a code exchange, retries included, in milliseconds. Default 5000. */
  timeoutMs?: number
}

/** Options of {@link createSessions}. */
export interface SessionsOptions {
  /** The mini-programs that log in here, one or more. */
  apps: readonly AppInfo[]
  /** Where sessions live: a `RedisStore`, a `MemoryStore` or your own. */
  store: SessionStore
  /** Secrets that encrypt every session_key at rest, 32 characters or more each, newest first. Default: derived from the AppSecrets. */
  keys?: readonly string[]
  /** How many sessions a user of an app may have at once. Default 10. */
  maxSessionsPerUser?: number
  /** What happens to one more: `'end-oldest'` ends the user's oldest session, `'refuse'` answers `ERR_SESSION_LIMIT`. Default `'end-oldest'`. */
  onLimit?: 'end-oldest' | 'refuse'
  /** A visit is written down when this share of the session duration has passed since the last one. Above 0, at most 1. Default 0.02. */
  touchShare?: number
  /** The deadline of each call to the store, in milliseconds. Default 1000. */
  storeTimeoutMs?: number
  /** How WeChat is called. */
  wechat?: WechatOptions
  /** Called before a session is issued, for 5 seconds at most; its answer becomes `session.data`, throwing refuses the login. */
  onLogin?: OnLogin
  /** Where the operator's few lines go. Default: stderr. */
  logger?: Logger
  /** Tells the time. Default: the machine's clock. */
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
  onLogin: true,
  logger: true,
  clock: true,
}

/** The use cases, free of any web framework. Every failure that is not a bug is a `WeappError`. */
export interface Sessions {
  /** Exchanges a code for a session. Throws `ERR_CODE_INVALID`, `ERR_WECHAT_…`, `ERR_STORE_UNAVAILABLE` and others. */
  login(request: LoginRequest): Promise<LoginResult>
  /**
   * The live session of a token. Throws `ERR_TOKEN_MISSING`, `ERR_TOKEN_MALFORMED`, `ERR_SESSION_UNKNOWN`, `ERR_LOGIN_TOO_OLD`
   * and `ERR_STORE_UNAVAILABLE`.
   */
  authenticate(token: string | undefined, options?: AuthenticateOptions): Promise<Session>
  /** Ends the session of a token; one that has ended already is fine. Throws `ERR_TOKEN_MISSING`, `ERR_TOKEN_MALFORMED`. */
  logout(token: string | undefined): Promise<void>
  /** The live sessions of a user, oldest login first. */
  list(user: UserRef): Promise<SessionSummary[]>
  /** Ends one session of a user by its id; answers whether there was one. */
  revoke(session: SessionRef): Promise<boolean>
  /** Ends all sessions of a user, except one if named; answers how many. */
  revokeUser(user: UserRef, options?: { exceptSessionId?: string }): Promise<number>
  /** Ends every session in the store that existed at the call; answers how many. Not atomic; profiles stay. */
  revokeAll(): Promise<number>
  /** Sets a user's profile, which all of the user's sessions share, or deletes it (null). Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`. */
  setUserInfo(user: UserRef, data: UserDataRequest | null): Promise<UserInfo | null>
  /** Decrypts `encryptedData` of a session's user. Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`. */
  decrypt(session: SessionRef, data: EncryptedData): Promise<OpenData>
  /** Checks that WeChat signed `rawData` for this session's user. Throws `ERR_SESSION_KEY_STALE`, `ERR_DATA_MALFORMED`. */
  verifySignature(session: SessionRef, data: SignedData): Promise<void>
  /** Resolves when the store answers; for health checks. Throws `ERR_STORE_UNAVAILABLE`. */
  ping(): Promise<void>
  /** Waits for what is still being written and closes idle connections to WeChat. A Redis client stays its owner's to close. */
  close(): Promise<void>
}

/**
 * Puts login and sessions together. Wrong options throw a `TypeError` that says what is allowed.
 *
 * @example
 * const sessions = createSessions({
 *   apps: [{ appid: 'wx…', secret: '…', loginDurationDays: 30, sessionDurationSeconds: 7200 }],
 *   store: new RedisStore(new Redis(process.env.REDIS_URL)),
 * })
 */
export function createSessions(options: SessionsOptions): Sessions {
  checkOptionNames<SessionsOptions>('createSessions', options, OPTION_NAMES)
  const touchShare = positiveNumber('createSessions: touchShare', options.touchShare ?? 0.02, 1)
  const apps = createAppBook('createSessions: apps', options.apps, touchShare)
  checkSecrets('createSessions: keys', options.keys)
  const storeMethods = Object.keys(STORE_METHODS)
  const plainStore = objectWithMethods(
    'createSessions: store',
    options.store,
    storeMethods,
    'a SessionStore such as RedisStore',
  )
  const storeTimeoutMs = positiveNumber(
    'createSessions: storeTimeoutMs',
    options.storeTimeoutMs ?? 1000,
    MOST_TIMEOUT_MS,
  )
  const wechat = readWechatOptions(options.wechat ?? {})
  const clock = optionalFunction('createSessions: clock', options.clock) ?? systemClock
  const onLogin = optionalFunction('createSessions: onLogin', options.onLogin)
  const logger = objectWithMethods(
    'createSessions: logger',
    options.logger ?? stderrLogger,
    ['warn', 'error'],
    'a Logger',
  )
  const cap = {
    maxSessionsPerUser: positiveInteger(
      'createSessions: maxSessionsPerUser',
      options.maxSessionsPerUser ?? 10,
      1000,
    ),
    onLimit: oneOf('createSessions: onLimit', options.onLimit ?? 'end-oldest', [
      'end-oldest',
      'refuse',
    ] as const),
  }

  const store = guardStore(plainStore, storeTimeoutMs, logger)
  const book = new SessionBook({
    apps,
    store,
    keyRing: createKeyRing(options.keys, apps.all),
    cap,
    clock,
    logger,
  })
  const patienceMs = wechat.timeoutMs + ON_LOGIN_TIMEOUT_MS + storeTimeoutMs
  const ledger = new CodeLedger({ store, clock, logger, patienceMs })
  const transport = createTransport(wechat.baseUrl)
  const exchange = code2Session(transport, wechat.timeoutMs)
  const keysOf = (session: UserRef & { sessionId?: string }) => [
    () => book.sessionKeys(session, session.sessionId),
  ]

  return {
    login: createLogIn({ apps, book, ledger, exchange, onLogin, logger }),
    authenticate: createAuthenticate(book, clock),
    logout: async (token) => book.endAt(addressIn(token)),
    list: (user) => book.list(user),
    revoke: async (session) => isSessionId(session.sessionId) && book.end(session),
    revokeUser: (user, { exceptSessionId } = {}) => book.endAllOf(user, exceptSessionId),
    revokeAll: () => book.endAll(),
    async setUserInfo(user, data) {
      const userInfo = data && (await profileFrom(readUserData(data), keysOf(user), user))
      if (userInfo === undefined) {
        throw new WeappError(
          'ERR_REQUEST_INVALID',
          'Send encryptedData and iv, or rawData and signature, or userInfo.',
        )
      }
      await book.setUserInfo(apps.choose(user.appid), user.openid, userInfo)
      return userInfo
    },
    decrypt: async (session, data) => decryptFor(session, readCiphertext(data), keysOf(session)),
    async verifySignature(session, data) {
      checkSignedData(data)
      await verifyFor(data, keysOf(session))
    },
    ping: () => store.ping(),
    async close() {
      await ledger.idle()
      transport.close()
      await store.close()
    },
  }
}

function readWechatOptions(options: WechatOptions): { baseUrl: URL; timeoutMs: number } {
  checkOptionNames<WechatOptions>('createSessions: wechat', options, { baseUrl: true, timeoutMs: true })
  const text = textOption('createSessions: wechat.baseUrl', options.baseUrl ?? 'https://api.weixin.qq.com')
  const baseUrl = URL.canParse(text) ? new URL(text) : undefined
  if (!baseUrl || !/^https?:$/.test(baseUrl.protocol)) {
    throw new TypeError(
      'createSessions: wechat.baseUrl must be an http or https address such as https://api.weixin.qq.com',
    )
  }
  return {
    baseUrl,
    timeoutMs: positiveNumber('createSessions: wechat.timeoutMs', options.timeoutMs ?? 5000, MOST_TIMEOUT_MS),
  }
}
