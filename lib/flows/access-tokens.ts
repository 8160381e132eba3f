import type { Clock } from '../clock.js'
import { copyOf, ERROR_CODES, WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { Secret } from '../secret.js'
import { BackgroundWork, Once } from '../sessions/once.js'
import type { SessionStore } from '../sessions/store.js'
import { valueIdOf } from '../sessions/token.js'
import type { KeptSecret, Vault } from '../sessions/vault.js'

/** WeChat gives a new token this long before the end of the old one, and both are valid until then. */
const RENEW_BEFORE_MS = 5 * 60_000
/** The least time between two renewals in the background. */
const RENEWAL_PAUSE_MS = 10_000
/**
 * How long nobody asks again after WeChat gave no token, or gave the one that it refuses. Until then all get
 * the same failure.
 */
const FAILURE_LIFETIME_MS = 1000

/** Asks for the access token of an app. */
export interface AccessTokenRequest {
  readonly appid: string
  /** A token that WeChat has just refused. */
  readonly refused?: string | undefined
}

/**
 * Returns the access token of an app, and another one than {@link AccessTokenRequest.refused}.
 *
 * @example
 * const accessTokenProvider: AccessTokenProvider = async ({ appid, refused }) =>
 *   tokenServer.get(appid, { not: refused })
 */
export type AccessTokenProvider = (request: AccessTokenRequest) => Promise<string>

/** Asks for the access token of an app, and another one than `refused`. */
export type AccessTokenSource = (request: {
  readonly appid: string
  readonly refused?: Secret | undefined
}) => Promise<Secret>

interface FetchedToken {
  readonly accessToken: Secret
  readonly expiresInSeconds: number
}

interface KeptToken {
  readonly token: string
}

interface GivenAgain {
  readonly token: Secret
  readonly at: number
}

interface KeptFailure {
  readonly error: WeappError
  readonly at: number
}

interface AccessTokensParts {
  readonly store: Required<SessionStore>
  readonly vault: Vault
  readonly clock: Clock
  readonly logger: Logger
  readonly fetchToken: (appid: string) => Promise<FetchedToken>
  /** How long `fetchToken` and what the store needs beside it may take together, in milliseconds. */
  readonly renewalMs: number
}

/**
 * One access token for each app in all processes, kept in the store. One process renews it five minutes
 * before its end, while the old one serves. It is replaced only by a process that has read what it replaces:
 * one that is late writes nothing. When WeChat gives none, all processes are content with that for a second.
 */
export class AccessTokens {
  readonly #parts: AccessTokensParts
  readonly #background = new BackgroundWork()
  readonly #once: Once
  /** Renewals of this process in progress, by appid. */
  readonly #renewals = new Map<string, Promise<Secret>>()
  /** The last failures of WeChat, by appid. */
  readonly #failures = new Map<string, KeptFailure>()
  /** The tokens that WeChat gave once more after it had refused them, by appid. */
  readonly #givenAgain = new Map<string, GivenAgain>()
  /** When the last renewal in the background began, by appid. */
  readonly #lastTries = new Map<string, number>()

  constructor(parts: AccessTokensParts) {
    this.#parts = parts
    this.#once = new Once({ store: parts.store, background: this.#background })
  }

  /**
   * Returns a token that is valid as far as is known here. Throws `ERR_STORE_UNAVAILABLE`, `ERR_WECHAT_…`,
   * `ERR_SERVER_MISCONFIGURED`.
   */
  async get({ appid, refused }: Parameters<AccessTokenSource>[0]): Promise<Secret> {
    const found = await this.#parts.vault.read(bindingOf(appid))
    const kept = keptIn(found)
    if (!kept) return this.#renewed(appid)
    if (refused && kept.token.equals(refused)) {
      const again = this.#givenAgain.get(appid)
      if (again?.token.equals(refused) && this.#isRecent(again.at))
        throw unavailable('WeChat refuses it, and gives no other')
      await this.#parts.vault.replace(bindingOf(appid), found, undefined, 0)
      const token = await this.#renewed(appid)
      if (token.equals(refused)) this.#givenAgain.set(appid, { token, at: this.#parts.clock() })
      return token
    }
    if (kept.isEnding) this.#renewInBackground(appid)
    return kept.token
  }

  async idle(): Promise<void> {
    await this.#background.idle()
  }

  #renewInBackground(appid: string): void {
    const now = this.#parts.clock()
    const sinceMs = now - (this.#lastTries.get(appid) ?? Number.NEGATIVE_INFINITY)
    // Negative where the clock was set back.
    if (sinceMs >= 0 && sinceMs < RENEWAL_PAUSE_MS) return
    this.#lastTries.set(appid, now)
    this.#background.add(this.#renewed(appid).catch((error) => this.#warn(error)))
  }

  async #renewed(appid: string): Promise<Secret> {
    const running = this.#renewals.get(appid)
    if (running) return running.catch(failWithOwn)
    const failed = this.#failures.get(appid)
    if (failed && this.#isRecent(failed.at)) throw copyOf(failed.error)
    const renewal = this.#renew(appid).finally(() => this.#renewals.delete(appid))
    this.#renewals.set(appid, renewal)
    return renewal
  }

  async #renew(appid: string): Promise<Secret> {
    const claimed = await this.#once.claim({
      id: renewalIdOf(appid),
      lifetimeMs: this.#parts.renewalMs,
      patienceMs: this.#parts.renewalMs,
    })
    if (claimed.state === 'pending') throw unavailable('another process has been renewing it for too long')
    if (claimed.state === 'settled') throw failureIn(claimed.outcome)
    let outcome: string | undefined
    try {
      const found = await this.#parts.vault.read(bindingOf(appid))
      const kept = keptIn(found)
      if (kept && !kept.isEnding) return kept.token

      const askedAt = this.#parts.clock()
      const { accessToken: token, expiresInSeconds } = await this.#parts.fetchToken(appid).catch((error) => {
        if (error instanceof WeappError) outcome = this.#failed(appid, error).code
        throw error
      })
      const passedMs = Math.max(0, this.#parts.clock() - askedAt)
      const keepMs = Math.max(0, Math.floor(expiresInSeconds * 1000 - passedMs))
      await this.#parts.vault.replace(
        bindingOf(appid),
        found,
        { token: token.reveal() } satisfies KeptToken,
        keepMs,
      )
      return token
    } finally {
      const { claim } = claimed
      this.#background.add(
        outcome === undefined
          ? this.#once.release(claim)
          : this.#once.settle(claim, outcome, FAILURE_LIFETIME_MS),
      )
    }
  }

  /** A clock that was set back makes nothing last longer. */
  #isRecent(at: number): boolean {
    const sinceMs = this.#parts.clock() - at
    return sinceMs >= 0 && sinceMs < FAILURE_LIFETIME_MS
  }

  #failed(appid: string, error: WeappError): WeappError {
    this.#failures.set(appid, { error, at: this.#parts.clock() })
    return error
  }

  #warn(error: unknown): void {
    const why = error instanceof WeappError ? `${error.code}: ${error.hint ?? error.message}` : 'a bug'
    this.#parts.logger.warn(`an access token could not be renewed, so the old one stays in use (${why})`)
  }
}

export function unavailable(hint: string): WeappError {
  return new WeappError(
    'ERR_ACCESS_TOKEN_UNAVAILABLE',
    'WeChat cannot be called at the moment. Please try again.',
    { hint: `there is no access token: ${hint}` },
  )
}

/** Whoever catches an error may change it, so it is thrown to one caller only. */
function failWithOwn(error: unknown): never {
  throw error instanceof WeappError ? copyOf(error) : error
}

/** Returns the failure of another process that has just asked WeChat in vain. */
function failureIn(outcome: string): WeappError {
  const hint = 'another process has just failed to fetch the access token'
  const code = ERROR_CODES.find((known) => known === outcome)
  if (!code) return unavailable(hint)
  return new WeappError(code, 'WeChat cannot be called at the moment. Please try again.', { hint })
}

/** Returns the token that was found if it is still valid, and whether it ends soon. */
function keptIn(found: KeptSecret | undefined): { token: Secret; isEnding: boolean } | undefined {
  if (!found?.value || found.leftMs <= 0) return undefined
  const { token } = found.value as KeptToken
  return { token: new Secret(token), isEnding: found.leftMs <= RENEW_BEFORE_MS }
}

function renewalIdOf(appid: string): string {
  return valueIdOf({ appid, purpose: 'access_token_renewal' })
}

function bindingOf(appid: string) {
  return { appid, purpose: 'access_token' } as const
}
