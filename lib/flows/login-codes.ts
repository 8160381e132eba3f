import { kindOf, WeappError } from '../errors.js'
import type { CheckedIdentity } from '../exchange.js'
import type { Secret } from '../secret.js'
import type { App } from '../sessions/app-info.js'
import {
  type CodeGrant,
  CodeOutcomes,
  type CodeRefusal,
  codeUsedUp,
  type LoginCode,
  loginCodeOf,
} from '../sessions/code-outcomes.js'
import { BackgroundWork, type Claim, Once } from '../sessions/once.js'
import type { SessionStore } from '../sessions/store.js'
import type { FailureLog } from './failure-log.js'

/** WeChat forgets a code after five minutes; until then this remembers that it was sent. */
const CODE_LIFETIME_MS = 5 * 60_000
const USED = 'used'

/** Exchanges a code as its app does it, within a deadline. */
export type ExchangeCode = (app: App, code: Secret) => Promise<CheckedIdentity>

export interface ExchangedCode {
  readonly identity: CheckedIdentity
  /** When the code was claimed, by the clock of the store, in microseconds since 1970. */
  readonly beganAt: number
}

/** The result of using a code, and what others get who bring the same code. */
export interface UsedCode<Result> {
  readonly result: Result
  readonly grant: CodeGrant
}

/** What a request does with a login code. */
export interface CodeUse<Result> {
  /** For the log, when it fails: `a login`. */
  readonly name: string
  /**
   * Called before the exchange, for the one request that uses the code; what it throws leaves the code good.
   */
  check?(): Promise<void>
  /** Called for the one request that uses the code. */
  use(exchanged: ExchangedCode): Promise<UsedCode<Result>>
  /** Called for other requests, with what the code was used for. */
  reuse(grant: CodeGrant, code: LoginCode): Promise<Result>
}

interface LoginCodesParts {
  readonly store: Required<SessionStore>
  readonly exchange: ExchangeCode
  readonly failureLog: FailureLog
  /** How long another request's use of the same code is awaited, in milliseconds. */
  readonly patienceMs: number
}

/** Uses each login code once, and lets all requests and processes that bring it know the outcome. */
export class LoginCodes {
  readonly #exchange: ExchangeCode
  readonly #failureLog: FailureLog
  readonly #patienceMs: number
  readonly #background = new BackgroundWork()
  readonly #redemptions = new Set<Promise<unknown>>()
  readonly #once: Once
  readonly #outcomes: CodeOutcomes

  constructor({ store, exchange, failureLog, patienceMs }: LoginCodesParts) {
    this.#exchange = exchange
    this.#failureLog = failureLog
    this.#patienceMs = patienceMs
    this.#once = new Once({ store, background: this.#background })
    this.#outcomes = new CodeOutcomes(store)
  }

  /**
   * Exchanges and uses the code; or waits for the request that does, and reuses its grant. Throws what
   * exchange and use throw; other requests get that as far as it concerns them. Throws `ERR_CODE_INVALID`,
   * `ERR_STORE_UNAVAILABLE`.
   */
  async redeem<Result>(app: App, code: string, use: CodeUse<Result>): Promise<Result> {
    const redemption = this.#redeem(app, loginCodeOf(app.appid, code), use).finally(() =>
      this.#redemptions.delete(redemption),
    )
    this.#redemptions.add(redemption)
    return redemption
  }

  /** Resolves when the redemptions that are now in progress have ended and their outcome is written. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#redemptions)
    await this.#background.idle()
  }

  async #redeem<Result>(app: App, code: LoginCode, codeUse: CodeUse<Result>): Promise<Result> {
    const claimed = await this.#once.claim({
      id: code.id,
      lifetimeMs: CODE_LIFETIME_MS,
      patienceMs: this.#patienceMs,
      // Or a login that cannot last would use up its code.
      mustLast: true,
    })
    if (claimed.state === 'pending') throw codeUsedUp()
    if (claimed.state === 'settled') return codeUse.reuse(await this.#outcomes.find(code), code)
    const { claim } = claimed
    let [isSent, isExchanged] = [false, false]
    try {
      await codeUse.check?.()
      isSent = true
      const identity = await this.#exchange(app, code.code)
      isExchanged = true
      const { result, grant } = await codeUse.use({ identity, beganAt: claim.grantedAt })
      this.#background.add(this.#settle(code, claim, grant))
      return result
    } catch (error) {
      const isGivenBack = !isSent || (!isExchanged && isCodeStillGood(error))
      this.#background.add(
        isGivenBack ? this.#once.release(claim) : this.#settle(code, claim, refusalOf(error)),
      )
      this.#failureLog.report(codeUse.name, error)
      throw error
    }
  }

  /** The outcome comes first: whoever waits for the code reads it as soon as the code is settled. */
  async #settle(code: LoginCode, claim: Claim, outcome: CodeGrant | CodeRefusal): Promise<void> {
    try {
      await this.#outcomes.keep(code, outcome)
    } finally {
      await this.#once.settle(claim, USED, CODE_LIFETIME_MS)
    }
  }
}

function isCodeStillGood(error: unknown): boolean {
  return error instanceof WeappError && kindOf(error.code).codeStillGood
}

/** What other requests are told: neither trouble of this server, nor whose code it was. */
function refusalOf(error: unknown): CodeRefusal {
  const isForAll = error instanceof WeappError && error.status < 500 && error.code !== 'ERR_USER_CHANGED'
  const { code, message } = isForAll ? error : codeUsedUp()
  return { error: code, message }
}
