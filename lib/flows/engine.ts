import type { CodeExchange } from '../exchange.js'
import { guardStore } from '../sessions/guarded-store.js'
import { KeysInUse } from '../sessions/keys-in-use.js'
import { BackgroundWork } from '../sessions/once.js'
import { SessionRegistry } from '../sessions/session-registry.js'
import { UserProfiles } from '../sessions/user-profiles.js'
import { Vault } from '../sessions/vault.js'
import { stableAccessToken } from '../wechat/access-token.js'
import { CallSlots } from '../wechat/call-slots.js'
import { code2Session } from '../wechat/code2session.js'
import { guardExchange } from '../wechat/guarded-exchange.js'
import { getPhoneNumber } from '../wechat/phone-number.js'
import { createSessionKeyApi } from '../wechat/session-key.js'
import { createTransport } from '../wechat/transport.js'
import { WaitBrake } from '../wechat/wait-brake.js'
import { createWechatApi } from '../wechat/wechat-api.js'
import { WechatBreakers } from '../wechat/wechat-breaker.js'
import { AccessTokens } from './access-tokens.js'
import { AttemptLimit } from './attempt-limit.js'
import { CONFIRMATIONS } from './confirm.js'
import { Decryptions } from './decryptions.js'
import { FailureLog } from './failure-log.js'
import { Health, type PartState } from './health.js'
import { createCallOnConfirm, createCallOnUserInfo, HOOK_TIMEOUT_MS } from './hooks.js'
import { Lifecycle } from './lifecycle.js'
import { type ExchangeCode, LoginCodes } from './login-codes.js'
import { PHONE_CODES } from './phone-codes.js'
import { PhoneNumbers } from './phone-numbers.js'
import { RefusedLogins } from './refused-logins.js'
import { createReplay } from './replay.js'
import type { SessionsSettings } from './sessions-options.js'
import { throttledLogger } from './throttled-logger.js'
import { guardProvider } from './wechat-calls.js'

/** What all use cases share, whatever they are narrowed to: whatever has connections, counts or waits. */
export type Engine = ReturnType<typeof createEngine>

export function createEngine(settings: SessionsSettings) {
  const { apps, keyRing, cap, wechat, onLogin, onUserInfo, profileRules, clock } = settings
  const logger = throttledLogger(settings.logger, clock)
  const { onConfirm, storeTimeoutMs, accessTokenProvider } = settings
  const store = guardStore({
    store: settings.store,
    timeoutMs: storeTimeoutMs,
    clock,
    logger: settings.logger,
  })
  const vault = new Vault(store, keyRing)
  const transport = createTransport(wechat.baseUrl, wechat.agent, wechat.maxConcurrentCalls)
  const failureLog = new FailureLog(settings.logger, clock)
  const wechatBreakers = new WechatBreakers({
    clock,
    onOpen: (what, line) => failureLog.reportOutage(what, line),
    onClose: (what, line) => failureLog.reportEnd(what, line),
  })
  const wechatApi = createWechatApi({
    transport,
    timeoutMs: wechat.timeoutMs,
    slots: new CallSlots(wechat.maxConcurrentCalls),
    breakers: wechatBreakers,
  })
  const registry = new SessionRegistry({ apps, store, keyRing, logger })

  const hooks = [onLogin, onUserInfo].filter((hook) => hook !== undefined)
  const patienceMs = wechat.timeoutMs + hooks.length * HOOK_TIMEOUT_MS + 3 * storeTimeoutMs
  const waitBrake = new WaitBrake(clock)
  const exchange = exchangeOf(code2Session(wechatApi), wechat.timeoutMs, waitBrake)
  const background = new BackgroundWork()
  const limitParts = { store, clock, logger, background }
  const { onLoginRefused } = settings
  const loginCodes = new LoginCodes({ store, exchange, failureLog, patienceMs })

  const keysInUse = new KeysInUse({ apps, store, keyRing, clock, logger })
  const fetchToken = stableAccessToken(wechatApi)
  const accessTokens = new AccessTokens({
    store,
    vault,
    clock,
    logger,
    fetchToken: (appid) =>
      waitBrake.through({ appid, api: 'access token' }, () => fetchToken(apps.choose(appid))),
    renewalMs: wechat.timeoutMs + 3 * storeTimeoutMs,
  })

  const lifecycle = new Lifecycle({
    works: [loginCodes, keysInUse, background, accessTokens],
    patienceMs,
    async release() {
      transport.close()
      await store.close()
    },
    logger,
  })
  const wechatState = (): PartState => (wechatBreakers.isAnyOpen ? 'down' : 'up')

  return {
    store,
    keyRing,
    cap,
    onLogin,
    profileRules,
    clock,
    logger,
    keysInUse,
    loginCodes,
    failureLog,
    waitBrake,
    background,
    refusedLogins: new RefusedLogins({ onLoginRefused, failureLog, background, clock }),
    profiles: new UserProfiles(store, keyRing),
    phoneNumbers: new PhoneNumbers(vault),
    decryptions: new Decryptions({ store, storeTimeoutMs, clock, logger }),
    confirmations: new AttemptLimit({ ...limitParts, rule: CONFIRMATIONS }),
    phoneCodes: new AttemptLimit({ ...limitParts, rule: PHONE_CODES }),
    callOnConfirm: createCallOnConfirm(onConfirm, failureLog),
    replay: createReplay({ registry, store, clock, logger }),
    callOnUserInfo: createCallOnUserInfo(onUserInfo, failureLog),
    accessToken: accessTokenProvider
      ? guardProvider(accessTokenProvider, wechat.timeoutMs)
      : accessTokens.get.bind(accessTokens),
    getPhoneNumber: getPhoneNumber(wechatApi),
    sessionKeyApi: createSessionKeyApi(wechatApi),
    lifecycle,
    health: new Health({ store, lifecycle, keysInUse, background, clock, wechatState }),
  }
}

/** Exchanges a code by the way of its app: its own, or WeChat's. */
function exchangeOf(wechats: CodeExchange, timeoutMs: number, brake: WaitBrake): ExchangeCode {
  const exchangeWithin = guardExchange(timeoutMs)
  return (app, code) =>
    brake.through({ appid: app.appid, api: 'login' }, () =>
      exchangeWithin(app.exchange ?? wechats, app, code),
    )
}
