import { type Call, Calls } from './calls.js'
import { newAppid, newSecret, newUser, openidOf } from './identifiers.js'
import { LoopbackServer } from './loopback-server.js'
import { type MisbehaveOptions, type Misbehaviour, Misbehaviours } from './misbehaviour.js'
import { booleanCheck, checkOptions, isObject, isText, nameCheck, type OptionCheck } from './option-checks.js'
import { createPhone, type Phone } from './phone.js'
import { DEFAULT_GROUP } from './phone-endpoints.js'
import type { UserInfo } from './profile.js'
import { checkQuotas, type SandboxQuotas } from './quotas.js'
import { createRequestListener } from './request-listener.js'
import { type SandboxApp, WeChat } from './wechat.js'

/** Options of `createSandbox`. All may be left out. */
export interface SandboxOptions {
  /** The mini-programs that WeChat knows. Default: one with a random appid and secret. */
  apps?: readonly SandboxApp[]
  /** Port to listen on. Default 0: a free one. */
  port?: number
  /**
   * Address to listen on. Default `127.0.0.1`. Only a loopback address is safe: anyone who reaches the
   * sandbox can log in as any user.
   */
  host?: string
  /** The time in milliseconds since 1970, by which codes, keys and tokens expire. Default `Date.now`. */
  clock?: () => number
  /** Whether `wx.login` replaces the session_key of user and app. Default `true`. */
  rotateOnLogin?: boolean
  /** A session_key younger than this, in milliseconds, survives a login. Default 0: none does. */
  minRefreshIntervalMs?: number
  /**
   * How long a session_key lives, in milliseconds. Default: forever. One from `resetusersessionkey` expires
   * when the one before it would have.
   */
  sessionKeyLifetimeMs?: number
  /** Whether users have a unionid, as with apps bound to an Open Platform account. Default `true`. */
  unionid?: boolean
  /**
   * How many calls WeChat accepts before it refuses more. Default: the documented numbers. With
   * `{ stableTokenPerMinute: 2 }` a program soon reaches one; `Infinity` removes one.
   */
  quotas?: SandboxQuotas
}

/** Options of `sandbox.phone`. All may be left out. */
export interface PhoneOptions {
  /** The mini-program that runs on the phone. Default: the sandbox's first. */
  appid?: string
  /** Name of the WeChat user, 1 to 128 characters. Default: a new user. */
  user?: string
  /** Fields of the user's profile, on all phones of this user. */
  profile?: Partial<UserInfo>
  /** The user's phone number without country code: 5 to 15 digits. Default: one derived from the name. */
  phoneNumber?: string
  /** Its country code. Default `'86'`. A number is sent as a number, as in the documentation's example. */
  countryCode?: string | number
  /** Name of the group chat that the app was opened from, 1 to 128 characters. Default: a common one. */
  group?: string
}

/**
 * A fake WeChat: an HTTP server on loopback that responds as `api.weixin.qq.com` does, and phones to go with
 * it. `curl -X POST …/sandbox/login` issues a code, too. It has these endpoints, each of which can misbehave:
 *
 * - `GET /sns/jscode2session`: the exchange of a code, which is the same in QQ; 100 a minute for one user
 * - `POST /cgi-bin/stable_token`: the access token for the endpoints under `/wxa/`; 10,000 a minute, 500,000
 *   a day, and 20 forced refreshes a day
 * - `GET /wxa/checksession` and `GET /wxa/resetusersessionkey`; of the latter 60,000 a minute
 * - `POST /wxa/business/getuserphonenumber`: the exchange of a code from `phone.getPhoneNumber()`
 * - `POST /api/apps/v2/jscode2session`: Douyin's exchange of the codes from `phone.tt.login()`
 *
 * The numbers are WeChat's quotas for an app, by the sandbox's clock: one call too many gets 45011 in a
 * minute and 45009 in a day. The option `quotas` changes all but that of forced refreshes.
 */
export interface Sandbox {
  /** Where it listens, such as `http://127.0.0.1:43121`: the value for `WEAPP_API_BASE`. */
  readonly url: string
  /** The mini-programs it knows, in the shape that `createSessions` takes. */
  readonly apps: readonly SandboxApp[]
  /** The first of them. */
  readonly app: SandboxApp
  /**
   * Creates a phone, by default of a new user with the first app. Throws a `TypeError` for wrong options.
   *
   * @example
   * const phone = sandbox.phone()
   * const tablet = sandbox.phone({ user: phone.user })
   */
  phone: (options?: PhoneOptions) => Phone
  /** The requests to this path among the latest 10,000, oldest first. */
  calls: (path: string) => Call[]
  /** How many requests to this path there were in all. */
  callCount: (path: string) => number
  /** Forgets all calls. */
  clearCalls: () => void
  /**
   * Makes an endpoint misbehave, until the returned function is called or for the given number of times.
   * Several misbehaviours of one endpoint queue up. Throws a `TypeError` for wrong options.
   *
   * @example
   * const restore = sandbox.misbehave('hang')
   * sandbox.misbehave({ errcode: 45011 }, { times: 2 })
   */
  misbehave: (how: Misbehaviour, options?: MisbehaveOptions) => () => void
  /** Ends all misbehaviours. */
  behave: () => void
  /** The session_key that is valid now. */
  sessionKeyOf: (user: Pick<Phone, 'user' | 'appid'>) => string
  /** Replaces the session_key, as WeChat may do at any moment. */
  rotateSessionKey: (user: Pick<Phone, 'user' | 'appid'>) => void
  /**
   * Expires the access tokens of an app, by default the first: calls with them get 42001. Throws a
   * `TypeError` for an unknown appid.
   */
  expireAccessToken: (appid?: string) => void
  /**
   * Revokes the access tokens of an app, by default the first: calls with them get 40001. Throws a
   * `TypeError` for an unknown appid.
   */
  revokeAccessToken: (appid?: string) => void
  /** Drops all connections and refuses new ones, those of phones included. */
  takeDown: () => Promise<void>
  /** Comes back on the same port. Rejects if another program has taken it, and after `close`. */
  bringUp: () => Promise<void>
  /** Ends it for good: drops all connections, hanging ones included. May be called again. */
  close: () => Promise<void>
}

/**
 * Starts a fake WeChat. Rejects with a `TypeError` for wrong options; with the system's error if the port is
 * taken.
 *
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
  const server = new LoopbackServer(createRequestListener({ wechat, calls, misbehaviours }), host, port)
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
    sessionKeyOf: ({ user, appid }) => wechat.sessionKeys.ensure(user, appid),
    rotateSessionKey: ({ user, appid }) => void wechat.sessionKeys.rotate(user, appid),
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
    host: ['a non-empty string', isText],
    clock: ['a function that returns milliseconds', (clock) => typeof clock === 'function'],
    rotateOnLogin: booleanCheck,
    minRefreshIntervalMs: ['a number of milliseconds from 0', (ms) => typeof ms === 'number' && ms >= 0],
    sessionKeyLifetimeMs: ['a number of milliseconds above 0', (ms) => typeof ms === 'number' && ms > 0],
    unionid: booleanCheck,
    quotas: ['an object with some of the quotas', isObject],
  })
  checkQuotas(options.quotas ?? {})
}

function checkPhoneOptions(options: PhoneOptions, wechat: WeChat): void {
  checkOptions('phone', options, {
    appid: knownAppid(wechat),
    user: nameCheck,
    profile: ['an object with fields of userInfo', isObject],
    phoneNumber: ['5 to 15 digits', (digits) => isText(digits) && /^\d{5,15}$/.test(digits)],
    countryCode: ['1 to 4 digits, as a string or a number', (code) => /^[1-9]\d{0,3}$/.test(String(code))],
    group: nameCheck,
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
