import type { ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import { WeappError } from '../errors.js'
import type { LoginGate } from '../flows/login-gate.js'
import { checkOptionNames, positiveInteger } from '../options.js'
import { valueIdOf } from '../sessions/token.js'
import loadRateLimit from './express-rate-limit.cjs'
import { RateLimiter, type RateLimitHit } from './rate-limiter.js'

const PER_ADDRESS = 600
const PER_APP = 3000
const WINDOW_SECONDS = 60
const MOST_WINDOW_SECONDS = 86_400
const IPV4_WITH_PORT = /^(\d+\.\d+\.\d+\.\d+):\d+$/
const IPV6_ZONE = /%.*$/

/** How many logins may fail or be unfinished within a time. Logins that succeed do not count. */
export interface LoginLimitOptions {
  /**
   * From one address; of IPv6, from one /56 network. Default 600, as carriers in China put thousands behind
   * one address, of whom hundreds may log in at the same moment; false: no limit.
   */
  perAddress?: number | false
  /** For one app, from all addresses. Default 3000; false: no limit. */
  perApp?: number | false
  /** From the first of them on, in whole seconds up to a day. Default 60. */
  windowSeconds?: number
}

/** A login as the limits see it. */
export interface LimitedLogin {
  /** The address to count; undefined: the limit by address does not apply. */
  readonly address: string | undefined
  /** The app to count; undefined: none that may log in here, so that nothing reaches WeChat. */
  readonly appid: string | undefined
}

/** Limits logins by address and by app, in all processes. */
export class LoginLimits {
  readonly #gate: LoginGate
  readonly #byAddress: RateLimiter | undefined
  readonly #byApp: RateLimiter | undefined
  readonly #window: string

  constructor(where: string, options: LoginLimitOptions, gate: LoginGate) {
    checkOptionNames<LoginLimitOptions>(where, options, {
      perAddress: true,
      perApp: true,
      windowSeconds: true,
    })
    const { perAddress = PER_ADDRESS, perApp = PER_APP, windowSeconds = WINDOW_SECONDS } = options
    positiveInteger(named(where, 'windowSeconds'), windowSeconds, MOST_WINDOW_SECONDS)
    const limiter = (name: string, option: string, limit: unknown) =>
      limit === false
        ? undefined
        : new RateLimiter({
            name,
            limit: positiveInteger(named(where, option), limit),
            windowMs: windowSeconds * 1000,
            count: gate.count,
          })
    this.#gate = gate
    this.#byAddress = limiter('logins-by-address', 'perAddress', perAddress)
    this.#byApp = limiter('logins-by-app', 'perApp', perApp)
    this.#window = `${windowSeconds} s`
  }

  /**
   * Counts a login, and tells the client by headers. Both counts are asked at the same time. Returns what
   * takes it back. Throws `ERR_LOGIN_LIMIT` and `ERR_STORE_UNAVAILABLE`.
   */
  async enter({ address, appid }: LimitedLogin, res: ServerResponse): Promise<() => void> {
    const hits = await Promise.all([
      address === undefined ? undefined : this.#byAddress?.hit(this.#idOf('address', networkOf(address))),
      appid === undefined ? undefined : this.#byApp?.hit(this.#idOf('app', appid)),
    ])
    const counted = hits.filter((hit) => hit !== undefined)
    writeHeaders(res, counted)
    const over = counted.filter(({ isOver }) => isOver)
    if (over.length === 0) return () => this.#takeBack(counted)
    // Whoever is over one limit must not use up the other, which is that of everybody.
    this.#takeBack(counted.filter(({ isOver }) => !isOver))
    throw tooManyLogins(Math.max(...over.map(({ headers }) => Number(headers.get('Retry-After')))))
  }

  #takeBack(hits: readonly RateLimitHit[]): void {
    for (const hit of hits) this.#gate.later(hit.takeBack())
  }

  #idOf(what: 'address' | 'app', whose: string): string {
    return valueIdOf({ purpose: `logins by ${what} in ${this.#window}`, appid: whose })
  }
}

/** Returns the network that counts as one client. What is no address is all one: a client may choose it. */
export function networkOf(address: string): string {
  const plain = address.replace(IPV4_WITH_PORT, '$1').replace(IPV6_ZONE, '')
  return isIP(plain) ? loadRateLimit().ipKeyGenerator(plain) : 'not an address'
}

function writeHeaders(res: ServerResponse, hits: readonly RateLimitHit[]): void {
  if (res.headersSent) return
  for (const name of ['RateLimit', 'RateLimit-Policy']) {
    const values = hits.flatMap(({ headers }) => headers.get(name) ?? [])
    if (values.length > 0) res.setHeader(name, values.join(', '))
  }
}

function tooManyLogins(retryAfterSeconds: number): WeappError {
  const message = 'Too many logins have failed here. Please try again later, with the same code or a new one.'
  return new WeappError('ERR_LOGIN_LIMIT', message, { retryAfterSeconds })
}

function named(where: string, option: string): string {
  return `${where}.${option}`
}
