import { type Call, Calls } from './calls.js'
import { openFrontDoor } from './front-door.js'
import { newAppid, newSecret, newUser, openidOf } from './identifiers.js'
import { LoopbackServer } from './loopback-server.js'
import { type MisbehaveOptions, type Misbehaviour, Misbehaviours } from './misbehaviour.js'
import { checkOptions, isObject, isText } from './option-checks.js'
import { createPhone, type Phone } from './phone.js'
import type { UserInfo } from './profile.js'
import { MAX_USER_LENGTH, type SandboxApp, WeChat } from './wechat.js'

/** Options of `createSandbox`. All may be left out. */
export interface SandboxOptions {
  /** The mini-programs that WeChat knows. Default: one with a random appid and secret. */
  apps?: readonly SandboxApp[]
  /** Port to listen on. Default 0: a free one. */
  port?: number
  /** Address to listen on. Default `127.0.0.1`. */
  host?: string
  /** The time in milliseconds since 1970, which decides when codes expire. Default `Date.now`. */
  clock?: () => number
  /** Whether `wx.login` replaces the session_key of user and app. Default `true`. */
  rotateOnLogin?: boolean
  /** A session_key younger than this survives a login, in milliseconds. Default 0: none does. */
  minRefreshIntervalMs?: number
  /** Whether users have a unionid, as they do once the apps are bound to an Open Platform account. Default `true`. */
  unionid?: boolean
}

/** Options of `sandbox.phone`. All may be left out. */
export interface PhoneOptions {
  /** The mini-program that runs on the phone. Default: the sandbox's first. */
  appid?: string
  /** Name of the WeChat user, 1 to 128 characters. Default: a new user. */
  user?: string
  /** Fields of the user's profile, which all phones of this user share. */
  profile?: Partial<UserInfo>
}

/**
 * A fake WeChat: an HTTP server on loopback that answers as `api.weixin.qq.com` does, and phones to go with it.
 * `POST /sandbox/login` mints a code for anybody with curl.
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
  const { rotateOnLogin = true, minRefreshIntervalMs = 0, unionid = true } = options
  const { apps: givenApps = [{ appid: newAppid(), secret: newSecret() }] } = options
  const apps = givenApps.map(({ appid, secret }) => ({ appid, secret }))
  const app = apps[0] as SandboxApp

  const wechat = new WeChat({ apps, clock, unionid, rotateOnLogin, minRefreshIntervalMs })
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
      const { appid = app.appid, user = newUser(), profile = {} } = phoneOptions
      wechat.profiles.change(user, profile)
      const unionid = wechat.unionidOf(user)
      const identity = { openid: openidOf(user, appid), ...(unionid && { unionid }) }
      return createPhone({ url: server.url, user, appid, offline: false }, identity)
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
    unionid: ['true or false', isBoolean],
  })
}

function checkPhoneOptions(options: PhoneOptions, wechat: WeChat): void {
  const appids = wechat.apps.map((app) => app.appid)
  checkOptions('phone', options, {
    appid: [
      `an app of this sandbox: ${appids.join(', ')}`,
      (appid) => isText(appid) && appids.includes(appid),
    ],
    user: [
      `a name of 1 to ${MAX_USER_LENGTH} characters`,
      (user) => isText(user) && user.length <= MAX_USER_LENGTH,
    ],
    profile: ['an object with fields of userInfo', isObject],
  })
}

function isListOfApps(apps: unknown): boolean {
  if (!Array.isArray(apps) || apps.length === 0) return false
  const appids = new Set(apps.map((app) => app?.appid))
  return appids.size === apps.length && apps.every((app) => isText(app?.appid) && isText(app?.secret))
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}
