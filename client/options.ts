import type { WxLike } from './wx.js'

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** Base URL of the back end, such as `https://api.example.com/v2`. Required. */
  baseUrl: string
  /** The header that carries the token, the same as on the server. Default `x-3rd-session`. */
  header?: string
  /** The key of the token in the phone's storage. Default: `weapp-session:` followed by `baseUrl`. */
  storageKey?: string
  /** The AppID to log in to. Required if several apps log in to one back end. Default: the only one. */
  appid?: string
  /** Timeout of `wx.login` and of requests without their own `timeout`, in milliseconds. Default 15000. */
  timeoutMs?: number
  /** How many seconds a call or login may wait in total because of `Retry-After`. 0: never. Default 10. */
  maxWaitSeconds?: number
  /** The object to use as `wx`, such as `Taro` or `uni`. Default: the global `wx`. */
  wx?: WxLike
  /** Waits for the given number of milliseconds; meant for tests. Default: a timer. */
  wait?: (ms: number) => Promise<void>
}

/** The checked options, with defaults filled in. */
export type Settings = Required<Omit<ClientOptions, 'appid'>> & Pick<ClientOptions, 'appid'>

/** What completes the sentence "must be …", and the test for it. */
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

/** Throws a `TypeError` for the first option that is unknown or wrong. */
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
