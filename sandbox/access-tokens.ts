import { chinaDayOf } from './china-day.js'
import { newAccessToken } from './identifiers.js'

const LIFETIME_MS = 7200 * 1000
const OVERLAP_MS = 5 * 60 * 1000
const FORCED_APART_MS = 30 * 1000
const FORCED_PER_DAY = 20
const REMEMBERED_TOKENS = 10_000
const TOKEN_SHAPE = /^\d{2}_[\w-]{100,}$/

export interface StableToken extends Record<string, unknown> {
  access_token: string
  /** In seconds. */
  expires_in: number
}

interface IssuedToken {
  accessToken: string
  appid: string
  expiresAt: number
  isRevoked: boolean
}

interface ForcedRefreshes {
  day: number
  times: number
  latestAt: number
}

/** The stable access tokens: an app has one, and for five minutes also the one before it. */
export class AccessTokens {
  readonly #clock: () => number
  readonly #issued = new Map<string, IssuedToken>()
  readonly #latest = new Map<string, IssuedToken>()
  readonly #forced = new Map<string, ForcedRefreshes>()

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Returns the same token until five minutes before it expires, then a new one beside it. */
  get(appid: string): StableToken {
    const latest = this.#latest.get(appid)
    const isFresh = latest && !latest.isRevoked && this.#clock() < latest.expiresAt - OVERLAP_MS
    return this.#stableToken(isFresh ? latest : this.#issue(appid))
  }

  /** Revokes all tokens and issues a new one, unless it has done so in the last 30 seconds. */
  forceRefresh(appid: string): StableToken | 'quota' {
    const now = this.#clock()
    const day = chinaDayOf(now)
    const forced = this.#forced.get(appid)
    if (forced && now - forced.latestAt < FORCED_APART_MS) return this.get(appid)
    const timesBefore = forced?.day === day ? forced.times : 0
    if (timesBefore >= FORCED_PER_DAY) return 'quota'
    this.#forced.set(appid, { day, times: timesBefore + 1, latestAt: now })
    this.revoke(appid)
    return this.#stableToken(this.#issue(appid))
  }

  /** Returns whose token it is, or why it is refused. */
  holderOf(accessToken: string): { appid: string } | 'malformed' | 'expired' | 'revoked' {
    if (!TOKEN_SHAPE.test(accessToken)) return 'malformed'
    const issued = this.#issued.get(accessToken)
    if (!issued || issued.isRevoked) return 'revoked'
    return this.#clock() < issued.expiresAt ? { appid: issued.appid } : 'expired'
  }

  expire(appid: string): void {
    const now = this.#clock()
    for (const token of this.#of(appid)) token.expiresAt = Math.min(token.expiresAt, now)
  }

  revoke(appid: string): void {
    for (const token of this.#of(appid)) token.isRevoked ||= this.#clock() < token.expiresAt
  }

  #of(appid: string): IssuedToken[] {
    return [...this.#issued.values()].filter((token) => token.appid === appid)
  }

  #issue(appid: string): IssuedToken {
    const expiresAt = this.#clock() + LIFETIME_MS
    const issued = { accessToken: newAccessToken(), appid, expiresAt, isRevoked: false }
    this.#issued.set(issued.accessToken, issued)
    this.#latest.set(appid, issued)
    const [oldest = ''] = this.#issued.keys()
    if (this.#issued.size > REMEMBERED_TOKENS) this.#issued.delete(oldest)
    return issued
  }

  #stableToken({ accessToken, expiresAt }: IssuedToken): StableToken {
    return { access_token: accessToken, expires_in: Math.floor((expiresAt - this.#clock()) / 1000) }
  }
}
