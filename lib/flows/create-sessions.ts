import type { CodeExchange } from '../exchange.js'
import { checkOptionNames } from '../options.js'
import { AccessTokens } from '../sessions/access-tokens.js'
import { ClockWatch } from '../sessions/clock-watch.js'
import { CodeLedger } from '../sessions/code-ledger.js'
import { DataBook } from '../sessions/data-book.js'
import { guardStore } from '../sessions/guarded-store.js'
import { PhoneNumbers } from '../sessions/phone-numbers.js'
import { frozen, throughJson } from '../sessions/session-data.js'
import { SessionKeys } from '../sessions/session-keys.js'
import { SessionRegistry } from '../sessions/session-registry.js'
import { Vault } from '../sessions/vault.js'
import { stableAccessToken } from '../wechat/access-token.js'
import { code2Session } from '../wechat/code2session.js'
import { guardExchange } from '../wechat/guarded-exchange.js'
import { getPhoneNumber, type PhoneInfo } from '../wechat/phone-number.js'
import { createSessionKeyApi } from '../wechat/session-key.js'
import { createTransport } from '../wechat/transport.js'
import { createWechatApi } from '../wechat/wechat-api.js'
import { addressIn, createAuthenticate, unknownSession } from './authenticate.js'
import { createDecryptions } from './decryption.js'
import { createFreshKey } from './fresh-key.js'
import { createAskAboutProfile, HOOK_TIMEOUT_MS } from './hooks.js'
import { createLogIn, type ExchangeCode } from './log-in.js'
import { namedSession, namedUser, sessionIdIn } from './named-user.js'
import { ofApp } from './of-app.js'
import { createReplay } from './replay.js'
import { createFailureReport } from './report-failure.js'
import type { RevokeUserOptions, Sessions } from './sessions.js'
import { readSessionsOptions, type SessionsOptions } from './sessions-options.js'
import { createUserDataCalls } from './user-data.js'
import { createWechatCalls, guardProvider } from './wechat-calls.js'

/**
 * Puts login and sessions together. Wrong options throw a `TypeError` that says what is allowed.
 *
 * @example
 * const sessions = createSessions({
 *   apps: [{ appid: 'wx…', secret: '…', loginDurationDays: 30, sessionDurationSeconds: 7200 }],
 *   store: new RedisStore(new Redis('redis://127.0.0.1:6379', { maxRetriesPerRequest: 1 })),
 * })
 */
export function createSessions(options: SessionsOptions): Sessions {
  const settings = readSessionsOptions(options)
  const { apps, keyRing, cap, wechat, onLogin, onUserInfo, profileRules, logger, clock, storeTimeoutMs } =
    settings
  const clocks = new ClockWatch(clock, logger)
  const store = guardStore({ store: settings.store, timeoutMs: storeTimeoutMs, clocks, logger })
  const registry = new SessionRegistry({ apps, store, keyRing, cap, logger })
  const keys = new SessionKeys({ apps, store, keyRing })
  const dataBook = new DataBook({ apps, store, keyRing })
  const vault = new Vault(store, keyRing)
  const phoneNumbers = new PhoneNumbers<PhoneInfo>(vault)
  const hooks = [onLogin, onUserInfo].filter((hook) => hook !== undefined)
  const patienceMs = wechat.timeoutMs + hooks.length * HOOK_TIMEOUT_MS + 3 * storeTimeoutMs
  const ledger = new CodeLedger({ store, patienceMs })
  const transport = createTransport(wechat.baseUrl, wechat.agent)
  const wechatApi = createWechatApi({ transport, timeoutMs: wechat.timeoutMs })
  const exchange = exchangeOf(code2Session(wechatApi), wechat.timeoutMs)
  const decryptions = createDecryptions({ store, storeTimeoutMs, clock, logger })
  const askAboutProfile = createAskAboutProfile(onUserInfo, logger)
  const report = createFailureReport(logger, clock)
  const { logIn, idle } = createLogIn({
    apps,
    registry,
    keys,
    ledger,
    exchange,
    replay: createReplay({ registry, store, clock, logger }),
    decryptions,
    profileRules,
    askAboutProfile,
    onLogin,
    report,
    logger,
  })
  const freshKey = createFreshKey({ apps, keys, keyRing, ledger, exchange, report })

  const give = stableAccessToken(wechatApi)
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
    authenticate: createAuthenticate(apps, registry),
    logout: async (token) => registry.endAt(addressIn(token)),
    list: async (user) => registry.list(namedUser(apps, user).user),
    revoke: async (session) => registry.end(namedSession(apps, session)),
    async revokeUser(user, options = {}) {
      checkOptionNames<RevokeUserOptions>('revokeUser', options, { exceptSessionId: true })
      const { exceptSessionId } = options
      const except = exceptSessionId === undefined ? undefined : sessionIdIn(exceptSessionId)
      return registry.endAllOf(namedUser(apps, user).user, except)
    },
    async forgetUser(selector) {
      const { app, user } = namedUser(apps, selector)
      await registry.forget(user)
      await phoneNumbers.keep(app, user.openid, undefined)
      await decryptions.forget(user)
    },
    async setData(selector, data) {
      const kept = frozen(throughJson(data))
      if (!(await dataBook.set(namedSession(apps, selector), kept))) throw unknownSession()
      return kept
    },
    revokeAll: () => registry.endAll(),
    ...createUserDataCalls({
      apps,
      registry,
      keys,
      freshKey,
      decryptions,
      askAboutProfile,
      profileRules,
      clock,
    }),
    ...createWechatCalls({
      apps,
      registry,
      keys,
      phoneNumbers,
      accessToken: accessTokenProvider
        ? guardProvider(accessTokenProvider, wechat.timeoutMs)
        : (request) => accessTokens.get(request),
      getPhoneNumber: getPhoneNumber(wechatApi),
      sessionKeyApi: createSessionKeyApi(wechatApi),
      report,
      logger,
    }),
    ofApp: (app) => ofApp(sessions, apps, app),
    ping: () => store.ping(),
    async close() {
      await idle()
      await ledger.idle()
      await accessTokens.idle()
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
