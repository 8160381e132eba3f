import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import { jittered } from '../jitter.js'
import type { Logger } from '../logger.js'
import { ThrottledLog } from '../throttled-log.js'
import type { FetchKeySet } from './fetch-key-set.js'
import type { KeySet } from './key-set.js'
import type { TokenKey } from './signature.js'

/** An unknown `kid` does not fetch the keys again before this time, however many come. */
const UNKNOWN_KID_PAUSE_MS = 30_000
const FIRST_BACK_OFF_MS = 1000
const MOST_BACK_OFF_MS = 60_000
/** From this share of their age on, keys are renewed while they serve. */
const RENEWAL_SHARE = 0.8

interface JwksClientParts {
  readonly fetchKeySet: FetchKeySet
  /** The host of the key set, for the log. */
  readonly host: string
  /** After how long the keys are fetched again. */
  readonly refreshMs: number
  /** How much longer known keys serve while they cannot be fetched. */
  readonly maxStaleMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Returns numbers from 0 up to 1. Default: `Math.random`. */
  readonly random?: () => number
}

interface FetchedKeys {
  readonly keys: KeySet
  /** When the fetch began. */
  readonly at: number
}

/**
 * The keys of an issuer, fetched over the network: by one request at a time, in the background where that
 * suffices, and never more often than the pauses allow, whatever the tokens say.
 */
export class JwksClient {
  readonly #parts: JwksClientParts
  readonly #log: ThrottledLog
  #fetched: FetchedKeys | undefined
  #running: Promise<void> | undefined
  #lastTryAt = Number.NEGATIVE_INFINITY
  /** How long after that the keys are not fetched again, because that has failed. */
  #backOffMs = 0
  /** Since the last success. */
  #failures = 0
  /** Whether the log was told of the first of them. */
  #isFailureTold = false

  constructor(parts: JwksClientParts) {
    this.#parts = parts
    this.#log = new ThrottledLog(parts.logger, parts.clock)
  }

  /**
   * Returns the key of a `kid`; undefined where the issuer has none of this name. Throws
   * `ERR_SERVICE_KEYS_UNAVAILABLE` if that cannot be told now.
   */
  async find(kid: string): Promise<TokenKey | undefined> {
    const { refreshMs } = this.#parts
    const age = this.#age()
    const known = this.#fetched?.keys.get(kid)
    if (known && age < refreshMs) {
      if (age >= refreshMs * RENEWAL_SHARE) this.#refreshInBackground()
      return known
    }
    if (known && this.#failures > 0 && this.#mayServe(age)) {
      // The issuer is down: nobody waits for it who does not have to.
      this.#refreshInBackground()
      return known
    }
    if (known || age >= refreshMs || this.#pausedMs() >= UNKNOWN_KID_PAUSE_MS) await this.#refresh()
    else await this.#running

    const found = this.#fetched?.keys.get(kid)
    if (found && this.#mayServe(this.#age())) return found
    if (this.#failures > 0 || !this.#fetched) throw unavailable()
    return undefined
  }

  #mayServe(age: number): boolean {
    return age < this.#parts.refreshMs + this.#parts.maxStaleMs
  }

  /** As a distance, because the clock may have been set back. */
  #age(): number {
    return this.#fetched ? Math.abs(this.#parts.clock() - this.#fetched.at) : Number.POSITIVE_INFINITY
  }

  #pausedMs(): number {
    return Math.abs(this.#parts.clock() - this.#lastTryAt)
  }

  #refreshInBackground(): void {
    void this.#refresh()
  }

  /** Never rejects: whether there are keys shows afterwards. */
  #refresh(): Promise<void> {
    if (!this.#running && this.#pausedMs() >= this.#backOffMs) {
      this.#running = this.#fetch().finally(() => {
        this.#running = undefined
      })
    }
    return this.#running ?? Promise.resolve()
  }

  async #fetch(): Promise<void> {
    const at = this.#parts.clock()
    this.#lastTryAt = at
    try {
      const keys = await this.#parts.fetchKeySet()
      this.#fetched = { keys, at }
      this.#tellSuccess(keys)
      this.#failures = 0
      this.#backOffMs = 0
    } catch (error) {
      this.#failures += 1
      const pauseMs = Math.min(FIRST_BACK_OFF_MS * 2 ** (this.#failures - 1), MOST_BACK_OFF_MS)
      this.#backOffMs = jittered(pauseMs, this.#parts.random)
      if (!this.#isFailureTold) this.#tellFailure(error)
    }
  }

  #tellSuccess({ size }: KeySet): void {
    const { host, logger } = this.#parts
    if (size === 0) this.#tellError(`the keys of service tokens at ${host} have none that can be used`)
    else if (this.#isFailureTold) logger.warn(`the keys of service tokens at ${host} can be fetched again`)
    this.#isFailureTold = false
  }

  #tellFailure(error: unknown): void {
    const { host, maxStaleMs } = this.#parts
    const why = error instanceof Error ? error.message : 'unknown reason'
    const then = this.#fetched
      ? `known keys serve for ${maxStaleMs / 1000} s more`
      : 'no service token can be checked'
    this.#isFailureTold = this.#tellError(
      `the keys of service tokens at ${host} cannot be fetched (${why}): ${then}`,
    )
  }

  #tellError(line: string): boolean {
    return this.#log.write('error', line, line)
  }
}

function unavailable(): WeappError {
  return new WeappError(
    'ERR_SERVICE_KEYS_UNAVAILABLE',
    'Tokens cannot be checked at the moment. Please try again.',
    { hint: 'the keys of service tokens cannot be fetched' },
  )
}
