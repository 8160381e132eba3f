import { type Call, Calls } from './calls.js'
import { openFrontDoor } from './front-door.js'
import { newAppid, newSecret, newUser, openidOf } from './identifiers.js'
import { LoopbackServer } from './loopback-server.js'
import { type MisbehaveOptions, type Misbehaviour, Misbehaviours } from './misbehaviour.js'
import { checkOptions, isObject, isText, type OptionCheck } from './option-checks.js'
import { createPhone, type Phone } from './phone.js'
import { DEFAULT_GROUP } from './phone-endpoints.js'
import type { UserInfo } from './profile.js'
import { checkQuotas, type SandboxQuotas } from './quotas.js'
import { MAX_NAME_LENGTH, type SandboxApp, WeChat } from './wechat.js'

/** Options of `createSandbox`. All may be left out. */
export interface SandboxOptions {
  /** The mini-programs that WeChat knows. Default: one with a random appid and secret. */
  apps?: readonly SandboxApp[]
  /** Port to listen on. Default 0: a free one. */
  port?: number
  /** Address to listen on. Whoever reaches it may log in as anybody and take WeChat down, so only a loopback address is safe. Default `127.0.0.1`. */
  host?: string
  /** The time in milliseconds since 1970, which decides when codes expire. Default `Date.now`. */
  clock?: () => number
  /** Whether `wx.login` replaces the session_key of user and app. Default `true`. */
  rotateOnLogin?: boolean
  /** A session_key younger than this survives a login, in milliseconds. Default 0: none does. */
  minRefreshIntervalMs?: number
  /**
   * How long a session_key lives, in milliseconds. Default: without end. One that `resetusersessionkey` has made
   * ends when the one before it would have ended.
   */
  sessionKeyLifetimeMs?: number
  /** Whether users have a unionid, as they do once the apps are bound to an Open Platform account. Default `true`. */
  unionid?: boolean
  /**
   * How many calls are answered before WeChat refuses more with 45011, or 45009 for a day. Default: the documented
   * numbers. `{ stableTokenPerMinute: 2 }` lets a program run into one quickly; `Infinity` takes one away.
   */
  quotas?: SandboxQuotas
}

/** Options of `sandbox.phone`. All may be left out. */
export interface PhoneOptions {
  /** The mini-program that runs on the phone. Default: the sandbox's first. */
  appid?: string
  /** Name of the WeChat user, 1 to 128 characters. Default: a new user. */
  user?: string
  /** Fields of the user's profile, which all phones of this user share. */
  profile?: Partial<UserInfo>
  /** The user's phone number without country code, 5 to 15 digits, on all phones of this user. Default: one for each. */
  phoneNumber?: string
  /** Its country code. Default `'86'`; a number is answered as a number, as the documentation's example does. */
  countryCode?: string | number
  /** Name of the group chat from which the mini-program was opened, 1 to 128 characters. Default: one for all phones. */
  group?: string
}

/**
 * A fake WeChat: an HTTP server on loopback that answers as `api.weixin.qq.com` does, and phones to go with it.
 * `POST /sandbox/login` mints a code for anybody with curl. It answers these, and misbehaves on each when told to:
 *
 * - `GET /sns/jscode2session`: the exchange of a code, and as `api.q.qq.com` has the same one, that of QQ;
 *   100 a minute for one user
 * - `POST /cgi-bin/stable_token`: the access token that the endpoints under `/wxa/` ask for; 10,000 a minute,
 *   500,000 a day, and 20 forced refreshes a day
 * - `GET /wxa/checksession` and `GET /wxa/resetusersessionkey`; of the latter 60,000 a minute
 * - `POST /wxa/business/getuserphonenumber`: the exchange of a code from `phone.getPhoneNumber()`
 * - `POST /api/apps/v2/jscode2session`: Douyin's exchange of the codes from `phone.tt.login()`
 *
 * The numbers are WeChat's quotas: each app has its own, by the clock of the sandbox, and a call too many answers 45011
 * in a minute and 45009 in a day. The option `quotas` changes all but that of forced refreshes.
 */
export interface Sandbox {
  /** Where it listens, such as `http://127.0.0.1:43121`: the value for `WEAPP_API_BASE`. */
  readonly url: string
  /** The mini-programs it knows, in the shape that `createSessions` takes. */
  readonly apps: readonly SandboxApp[]
  /** The first of them. */
  readonly app: SandboxApp
  /**
   * A phone, by default of a new user on the first app.
   *
   * @throws TypeError for unknown or wrong options.
   * @example
   * const phone = sandbox.phone()
   * const tablet = sandbox.phone({ user: phone.user })
   */
  phone: (options?: PhoneOptions) => Phone
  /** The latest 10,000 requests, those to this path, oldest first. */
  calls: (path: string) => Call[]
  /** How many requests came to this path. */
  callCount: (path: string) => number
  /** Forgets all calls. */
  clearCalls: () => void
  /**
   * Makes an endpoint misbehave until the returned function is called, or so many times. Several for one
   * endpoint wait in line: the second begins where the first ends.
   *
   * @throws TypeError for an unknown misbehaviour or wrong options.
   * @example
   * const restore = sandbox.misbehave('hang')
   * sandbox.misbehave({ errcode: 45011 }, { times: 2 })
   */
  misbehave: (how: Misbehaviour, options?: MisbehaveOptions) => () => void
  /** Takes all misbehaviours back. */
  behave: () => void
  /** The session_key which is valid now. */
  sessionKeyOf: (whose: Pick<Phone, 'user' | 'appid'>) => string
  /** Replaces the session_key, as WeChat may do at any moment. */
  rotateSessionKey: (whose: Pick<Phone, 'user' | 'appid'>) => void
  /**
   * Lets the access tokens of an app, by default the first, expire: calls with them answer 42001.
   *
   * @throws TypeError for an unknown appid.
   */
  expireAccessToken: (appid?: string) => void
  /**
   * Makes the access tokens of an app, by default the first, invalid: calls with them answer 40001.
   *
   * @throws TypeError for an unknown appid.
   */
  revokeAccessToken: (appid?: string) => void
  /** Breaks all connections and refuses new ones, also those of phones. */
  takeDown: () => Promise<void>
  /** Comes back on the same port. Rejects when another program has taken it, or after `close`. */
  bringUp: () => Promise<void>
  /** Ends it for good: breaks all connections, hanging ones too. May be called again. */
  close: () => Promise<void>
}

/**
 * Starts a fake WeChat.
 *
 * @throws TypeError (as a rejection) for unknown or wrong options; the system's error when the port is taken.
 * @example
 * const sandbox = await createSandbox()
 * const sessions = createSessions({ apps: sandbox.apps, store, wechat: { baseUrl: sandbox.url } })
 * const { code } = await sandbox.phone().wx.login()
 * await sandbox.close()
 */
export async function createSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  checkSandboxOptions(options)
  const { clock = Date.now, host = '127.0.0.1', port = 0 } = options
  const { rotateOnLogin = true, minRefreshIntervalMs = 0, unionid = true, quotas = {} } = options
  const { sessionKeyLifetimeMs = Number.POSITIVE_INFINITY } = options
  const { apps: givenApps = [{ appid: newAppid(), secret: newSecret() }] } = options
  const apps = givenApps.map(({ appid, secret }) => ({ appid, secret }))
  const app = apps[0] as SandboxApp

  const rotation = { rotateOnLogin, minRefreshIntervalMs, sessionKeyLifetimeMs }
  const wechat = new WeChat({ apps, clock, unionid, quotas, ...rotation })
  const calls = new Calls()
  const misbehaviours = new Misbehaviours()
  const server = new LoopbackServer(openFrontDoor({ wechat, calls, misbehaviours, clock }), host, port)
  await server.bringUp()

  return {
    url: server.url,
    apps,
    app,
    phone: (phoneOptions = {}) => {
      checkPhoneOptions(phoneOptions, wechat)
      const { appid = app.appid, user = newUser(), profile = {}, group = DEFAULT_GROUP } = phoneOptions
      const { phoneNumber, countryCode } = phoneOptions
      wechat.profiles.change(user, profile)
      wechat.phoneNumbers.change(user, {
        ...(phoneNumber !== undefined && { purePhoneNumber: phoneNumber }),
        ...(countryCode !== undefined && { countryCode }),
      })
      const unionid = wechat.unionidOf(user)
      const identity = { openid: openidOf(user, appid), ...(unionid && { unionid }) }
      return createPhone({ url: server.url, user, appid, group, offline: false }, identity)
    },
    calls: (path) => calls.to(path),
    callCount: (path) => calls.count(path),
    clearCalls: () => calls.clear(),
    misbehave: (how, misbehaveOptions) => misbehaviours.add(how, misbehaveOptions),
    behave: () => misbehaviours.clear(),
    sessionKeyOf: ({ user, appid }) => wechat.sessionKeys.valid(user, appid),
    rotateSessionKey: ({ user, appid }) => {
      wechat.sessionKeys.rotate(user, appid)
    },
    expireAccessToken: (appid = app.appid) => {
      checkOptions('expireAccessToken', { appid }, { appid: knownAppid(wechat) })
      wechat.accessTokens.expire(appid)
    },
    revokeAccessToken: (appid = app.appid) => {
      checkOptions('revokeAccessToken', { appid }, { appid: knownAppid(wechat) })
      wechat.accessTokens.revoke(appid)
    },
    takeDown: () => server.takeDown(),
    bringUp: () => server.bringUp(),
    close: () => server.close(),
  }
}

function checkSandboxOptions(options: SandboxOptions): void {
  checkOptions('createSandbox', options, {
    apps: ['a list of at least one { appid, secret }, no appid twice', isListOfApps],
    port: [
      'an integer from 0 to 65535',
      (port) => Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65535,
    ],
    host: ['a host name or address', isText],
    clock: ['a function which returns milliseconds', (clock) => typeof clock === 'function'],
    rotateOnLogin: ['true or false', isBoolean],
    minRefreshIntervalMs: ['a number of milliseconds from 0', (ms) => typeof ms === 'number' && ms >= 0],
    sessionKeyLifetimeMs: ['a number of milliseconds above 0', (ms) => typeof ms === 'number' && ms > 0],
    unionid: ['true or false', isBoolean],
    quotas: ['an object with some of the quotas', isObject],
  })
  checkQuotas(options.quotas ?? {})
}

function checkPhoneOptions(options: PhoneOptions, wechat: WeChat): void {
  const name: OptionCheck = [
    `a name of 1 to ${MAX_NAME_LENGTH} characters`,
    (value) => isText(value) && value.length <= MAX_NAME_LENGTH,
  ]
  checkOptions('phone', options, {
    appid: knownAppid(wechat),
    user: name,
    profile: ['an object with fields of userInfo', isObject],
    phoneNumber: ['5 to 15 digits', (digits) => isText(digits) && /^\d{5,15}$/.test(digits)],
    countryCode: ['1 to 4 digits, as text or as a number', (code) => /^[1-9]\d{0,3}$/.test(String(code))],
    group: name,
  })
}

function knownAppid(wechat: WeChat): OptionCheck {
  const appids = wechat.apps.map((app) => app.appid)
  return [`an app of this sandbox: ${appids.join(', ')}`, (appid) => isText(appid) && appids.includes(appid)]
}

function isListOfApps(apps: unknown): boolean {
  if (!Array.isArray(apps) || apps.length === 0) return false
  const appids = new Set(apps.map((app) => app?.appid))
  return appids.size === apps.length && apps.every((app) => isText(app?.appid) && isText(app?.secret))
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}
