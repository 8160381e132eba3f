import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { Claims } from './claims.js'
import type { SessionStore } from './store.js'
import { valueIdOf } from './token.js'
import type { KeptSecret, Vault } from './vault.js'

/** Renewed so long before its end, as WeChat then gives a new one while the old one is still good. */
const RENEW_BEFORE_MS = 5 * 60_000
/** While the old token serves, a renewal is not tried more often than this. */
const RENEWAL_PAUSE_MS = 10_000

/** Asks for the access token of an app. */
export interface AccessTokenRequest {
  readonly appid: string
  /** The token that WeChat has just refused: another one is wanted. */
  readonly refused?: string | undefined
}

/**
 * Gives the access token of an app. {@link AccessTokenRequest.refused} names one that WeChat did not accept.
 *
 * @example
 * const accessTokenProvider: AccessTokenProvider = async ({ appid, refused }) => tokenServer.get(appid, { not: refused })
 */
export type AccessTokenProvider = (request: AccessTokenRequest) => Promise<string>

/** What WeChat gave. */
interface GivenToken {
  readonly accessToken: string
  readonly expiresInSeconds: number
}

/** An access token in the store, and its end in milliseconds since 1970. */
interface KeptToken {
  readonly token: string
  readonly endsAt: number
}

interface AccessTokensParts {
  readonly store: Required<SessionStore>
  readonly vault: Vault
  readonly clock: Clock
  readonly logger: Logger
  readonly give: (appid: string) => Promise<GivenToken>
  /** How long `give` and what the store needs beside it may take together, in milliseconds. */
  readonly renewalMs: number
}

/**
 * One access token for each app in all processes. It is kept in the store, renewed five minutes before its end by one claimant
 * while the old one serves, and replaced only by who has read what is replaced: who was late writes nothing.
 */
export class AccessTokens {
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #give: AccessTokensParts['give']
  readonly #renewalMs: number
  readonly #claims: Claims
  /** Renewals of this process that are under way, by appid. */
  readonly #renewals = new Map<string, Promise<string>>()
  /** When the last renewal in the background began, by appid. */
  readonly #lastTries = new Map<string, number>()

  constructor(parts: AccessTokensParts) {
    this.#vault = parts.vault
    this.#clock = parts.clock
    this.#logger = parts.logger
    this.#give = parts.give
    this.#renewalMs = parts.renewalMs
    this.#claims = new Claims(parts.store, parts.clock)
  }

  /** A token that is good as far as is known here. Throws `ERR_STORE_UNAVAILABLE`, `ERR_WECHAT_…`, `ERR_SERVER_MISCONFIGURED`. */
  async get({ appid, refused }: AccessTokenRequest): Promise<string> {
    const found = await this.#vault.read(bindingOf(appid))
    const kept = this.#liveIn(found)
    if (!kept) return this.#renewed(appid)
    if (kept.token === refused) {
      await this.#vault.replace(bindingOf(appid), found, undefined, 0)
      return this.#renewed(appid)
    }
    if (this.#isEnding(kept)) this.#renewInBackground(appid)
    return kept.token
  }

  /** Resolves when no renewal is under way. */
  async idle(): Promise<void> {
    await this.#claims.idle()
  }

  #renewInBackground(appid: string): void {
    const now = this.#clock()
    if (now < (this.#lastTries.get(appid) ?? 0) + RENEWAL_PAUSE_MS) return
    this.#lastTries.set(appid, now)
    this.#claims.inBackground(this.#renewed(appid).catch((error) => this.#warn(error)))
  }

  #renewed(appid: string): Promise<string> {
    const running = this.#renewals.get(appid)
    if (running) return running
    const renewal = this.#renew(appid).finally(() => this.#renewals.delete(appid))
    this.#renewals.set(appid, renewal)
    return renewal
  }

  async #renew(appid: string): Promise<string> {
    const id = valueIdOf(bindingOf(appid))
    const turn = await this.#claims.claim({ id, lifetimeMs: this.#renewalMs, patienceMs: this.#renewalMs })
    if (turn.state !== 'claimed') throw unavailable('another process has been renewing it for too long')
    try {
      const found = await this.#vault.read(bindingOf(appid))
      const kept = this.#liveIn(found)
      if (kept && !this.#isEnding(kept)) return kept.token

      const askedAt = this.#clock()
      const { accessToken: token, expiresInSeconds } = await this.#give(appid)
      const endsAt = askedAt + Math.floor(expiresInSeconds * 1000)
      await this.#vault.replace(bindingOf(appid), found, { token, endsAt } satisfies KeptToken, endsAt)
      return token
    } finally {
      this.#claims.release(id, turn.claimant)
    }
  }

  #liveIn(found: KeptSecret | undefined): KeptToken | undefined {
    const kept = found?.value as KeptToken | undefined
    return kept && this.#clock() < kept.endsAt ? kept : undefined
  }

  #isEnding(kept: KeptToken): boolean {
    return this.#clock() >= kept.endsAt - RENEW_BEFORE_MS
  }

  #warn(error: unknown): void {
    const why = error instanceof WeappError ? `${error.code}: ${error.hint ?? error.message}` : 'a bug'
    this.#logger.warn(`an access token could not be renewed, the old one serves on (${why})`)
  }
}

/** There is no access token, or none that WeChat accepts. `hint` goes to the operator's log. */
export function unavailable(hint: string): WeappError {
  return new WeappError(
    'ERR_ACCESS_TOKEN_UNAVAILABLE',
    'WeChat cannot be asked at the moment. Please try again.',
    { hint: `there is no access token: ${hint}` },
  )
}

function bindingOf(appid: string) {
  return { appid, purpose: 'access_token' } as const
}
