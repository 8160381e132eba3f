import { WeappError } from '../errors.js'
import type { CodeExchange } from '../exchange.js'
import { checkOptionNames } from '../options.js'
import { AccessTokens } from '../sessions/access-tokens.js'
import type { AppBook, AppSelector } from '../sessions/app-info.js'
import { CodeLedger } from '../sessions/code-ledger.js'
import { guardStore } from '../sessions/guarded-store.js'
import { KeyBook } from '../sessions/key-book.js'
import { PhoneNumbers } from '../sessions/phone-numbers.js'
import { SessionBook } from '../sessions/session-book.js'
import { isSessionId } from '../sessions/token.js'
import { Vault } from '../sessions/vault.js'
import { stableAccessToken } from '../wechat/access-token.js'
import { code2Session } from '../wechat/code2session.js'
import { guardExchange } from '../wechat/guarded-exchange.js'
import { getPhoneNumber } from '../wechat/phone-number.js'
import { sessionKeyCalls } from '../wechat/session-key.js'
import { createTransport } from '../wechat/transport.js'
import { addressIn, createAuthenticate, unknownSession } from './authenticate.js'
import { createDecrypt } from './decryption.js'
import { createFreshKey } from './fresh-key.js'
import { createAskAboutProfile, HOOK_TIMEOUT_MS } from './hooks.js'
import { createLogIn, type ExchangeCode } from './log-in.js'
import { namedSession, namedUser, sessionIdIn } from './named-user.js'
import { createOwnData } from './own-data.js'
import { createReplay } from './replay.js'
import { createServerCalls, guardProvider } from './server-calls.js'
import type { RevokeUserOptions, Sessions } from './sessions.js'
import { readSessionsOptions, type SessionsOptions } from './sessions-options.js'

/**
 * Puts login and sessions together. Wrong options throw a `TypeError` that says what is allowed.
 *
 * @example
 * const sessions = createSessions({
 *   apps: [{ appid: 'wx…', secret: '…', loginDurationDays: 30, sessionDurationSeconds: 7200 }],
 *   store: new RedisStore(new Redis('redis://127.0.0.1:6379')),
 * })
 */
export function createSessions(options: SessionsOptions): Sessions {
  const settings = readSessionsOptions(options)
  const { apps, keyRing, cap, wechat, onLogin, onUserInfo, profileRules, logger, clock, storeTimeoutMs } =
    settings
  const store = guardStore(settings.store, storeTimeoutMs, logger)
  const book = new SessionBook({ apps, store, keyRing, cap, clock, logger })
  const keys = new KeyBook({ apps, store, keyRing, clock })
  const vault = new Vault(store, keyRing)
  const hooks = [onLogin, onUserInfo].filter((hook) => hook !== undefined)
  const patienceMs = wechat.timeoutMs + hooks.length * HOOK_TIMEOUT_MS + 3 * storeTimeoutMs
  const ledger = new CodeLedger({ store, clock, patienceMs })
  const transport = createTransport(wechat.baseUrl)
  const exchange = exchangeOf(code2Session(transport), wechat.timeoutMs)
  const decryption = createDecrypt({ store, clock, logger })
  const { decrypt } = decryption
  const askAboutProfile = createAskAboutProfile(onUserInfo, logger)
  const { logIn, idle } = createLogIn({
    apps,
    book,
    keys,
    ledger,
    exchange,
    replay: createReplay({ book, store, clock, logger }),
    decrypt,
    profileRules,
    askAboutProfile,
    onLogin,
    logger,
  })
  const freshKey = createFreshKey({ apps, keys, ledger, exchange, logger })

  const give = stableAccessToken(transport, wechat.timeoutMs)
  const accessTokens = new AccessTokens({
    store,
    vault,
    clock,
    logger,
    give: (appid) => give(apps.choose(appid)),
    renewalMs: wechat.timeoutMs + 3 * storeTimeoutMs,
  })
  const { accessTokenProvider } = settings

  const sessions: Sessions = {
    login: logIn,
    authenticate: createAuthenticate(apps, book, clock),
    logout: async (token) => book.endAt(addressIn(token)),
    list: async (user) => book.list(namedUser(apps, user).user),
    async revoke(session) {
      const named = namedSession(apps, session)
      return isSessionId(named.sessionId) && book.end(named)
    },
    async revokeUser(user, options = {}) {
      checkOptionNames<RevokeUserOptions>('revokeUser', options, { exceptSessionId: true })
      const { exceptSessionId } = options
      const except = exceptSessionId === undefined ? undefined : sessionIdIn(exceptSessionId)
      return book.endAllOf(namedUser(apps, user).user, except)
    },
    revokeAll: () => book.endAll(),
    ...createOwnData({ apps, book, keys, freshKey, decrypt, askAboutProfile, profileRules, clock }),
    ...createServerCalls({
      apps,
      keys,
      phoneNumbers: new PhoneNumbers(vault, clock),
      accessToken: accessTokenProvider
        ? guardProvider(accessTokenProvider, wechat.timeoutMs)
        : (request) => accessTokens.get(request),
      getPhoneNumber: getPhoneNumber(transport, wechat.timeoutMs),
      sessionKeys: sessionKeyCalls(transport, wechat.timeoutMs),
      logger,
    }),
    ofApp: (app) => narrowed(sessions, apps, app),
    ping: () => store.ping(),
    async close() {
      await idle()
      await ledger.idle()
      await accessTokens.idle()
      await decryption.idle()
      transport.close()
      await store.close()
    },
  }
  return sessions
}

/** Exchanges a code by the way of its app: its own, or WeChat's. */
function exchangeOf(wechats: CodeExchange, timeoutMs: number): ExchangeCode {
  const exchangeWithin = guardExchange(timeoutMs)
  return (app, code) => exchangeWithin(app.exchange ?? wechats, app, code)
}

/** The sessions of one app: whatever else a request names is not there. */
function narrowed(sessions: Sessions, apps: AppBook, selector: AppSelector): Sessions {
  const app = typeof selector === 'number' ? apps.all.find(({ id }) => id === selector) : apps.find(selector)
  if (!app) throw new TypeError('ofApp: no such app; name one of those given to createSessions')
  const isOther = (named: AppSelector | undefined) =>
    named !== undefined && named !== app.id && named !== app.appid
  const ofThisApp: Sessions = {
    ...sessions,
    async login(request) {
      if (isOther(request.appid)) throw otherApp()
      return sessions.login({ ...request, appid: app.appid })
    },
    async authenticate(token, options = {}) {
      if (isOther(options.appid)) throw unknownSession()
      return sessions.authenticate(token, { ...options, appid: app.appid })
    },
    async logout(token) {
      const isOwn = await ofThisApp.authenticate(token).then(() => true, isUnknown)
      if (isOwn) await sessions.logout(token)
    },
    async phoneNumber(request) {
      if (isOther(request.appid)) throw otherApp()
      return sessions.phoneNumber({ ...request, appid: app.appid })
    },
    async accessToken(request = {}) {
      if (isOther(request.appid)) throw otherApp()
      return sessions.accessToken({ ...request, appid: app.appid })
    },
    ofApp(other) {
      if (isOther(other)) throw new TypeError('ofApp: these sessions are of another app already')
      return ofThisApp
    },
  }
  return ofThisApp
}

function otherApp(): WeappError {
  return new WeappError('ERR_APP_UNKNOWN', 'This app does not log in here.')
}

/** False for a session that is not there; any other failure goes on. */
function isUnknown(error: unknown): false {
  if (error instanceof WeappError && error.code === 'ERR_SESSION_UNKNOWN') return false
  throw error
}
