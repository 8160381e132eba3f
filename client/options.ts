import type { WxLike } from './wx.js'

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** Where the back end is, such as `https://api.example.com/v2`. Needed. */
  baseUrl: string
  /** The header that carries the token, as on the server. Default `x-3rd-session`. */
  header?: string
  /** Under which key the phone's storage keeps the token. Default: `weapp-session:` and `baseUrl`. */
  storageKey?: string
  /** The app to log in to. Needed where several apps log in at one back end; default: the only one. */
  appid?: string
  /** Deadline in milliseconds of `wx.login`, and of each request that brings no `timeout` of its own. Default 15000. */
  timeoutMs?: number
  /** How long a call, and how long a login, may wait in all because of `Retry-After`, in seconds; 0 never waits. Default 10. */
  maxWaitSeconds?: number
  /** What stands for `wx`, such as `Taro` or `uni`. Default: the global `wx`. */
  wx?: WxLike
  /** Waits so many milliseconds; for tests. Default: a timer. */
  wait?: (ms: number) => Promise<void>
}

/** The options, checked and complete. */
export type Settings = Required<Omit<ClientOptions, 'appid'>> & Pick<ClientOptions, 'appid'>

/** What an option must be, as a phrase that completes "must be …", and the test for it. */
type Check = [mustBe: string, holds: (value: unknown) => boolean]

const text: Check = ['a non-empty string', (value) => typeof value === 'string' && value !== '']
const isNumberBelow = (value: unknown, limit: number) =>
  typeof value === 'number' && value >= 0 && value < limit

const CHECKS: Record<keyof ClientOptions, Check> = {
  baseUrl: [
    'an http(s) URL without a query, such as https://api.example.com',
    (url) => /^https?:\/\/[^/?#\s]+[^?#\s]*$/.test(String(url)),
  ],
  header: text,
  storageKey: text,
  appid: text,
  timeoutMs: ['a positive number of milliseconds', (ms) => ms !== 0 && isNumberBelow(ms, 2 ** 31)],
  maxWaitSeconds: ['a number of seconds from 0', (seconds) => isNumberBelow(seconds, 2 ** 21)],
  wx: ['an object like wx', (value) => typeof value === 'object' && value !== null],
  wait: ['a function', (value) => typeof value === 'function'],
}

/** Fills in the defaults. Throws a `TypeError` for the first option that is unknown or wrong. */
export function settingsOf(options: ClientOptions): Settings {
  const defaults = {
    header: 'x-3rd-session',
    timeoutMs: 15000,
    maxWaitSeconds: 10,
    wx: typeof wx === 'undefined' ? undefined : wx,
    wait: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  }
  const settings: Record<string, unknown> = { baseUrl: undefined, ...defaults }
  const known = Object.keys(CHECKS)
  for (const [name, value] of Object.entries(Object(options))) if (value !== undefined) settings[name] = value
  for (const [name, value] of Object.entries(settings)) {
    if (known.indexOf(name) < 0)
      throw new TypeError(`createClient: unknown option "${name}"; known: ${known.join(', ')}`)
    const [mustBe, holds] = CHECKS[name as keyof ClientOptions]
    if (!holds(value)) throw new TypeError(`createClient: ${name} must be ${mustBe}`)
  }
  const baseUrl = String(settings.baseUrl).replace(/\/+$/, '')
  return { storageKey: `weapp-session:${baseUrl}`, ...settings, baseUrl } as Settings
}
