import { kindOf, WeappError } from '../errors.js'
import type { Identity } from '../exchange.js'
import type { App } from '../sessions/app-info.js'
import { BackgroundWork } from '../sessions/background-work.js'
import {
  CodeAnswers,
  type CodeGrant,
  type CodeRefusal,
  codeUsedUp,
  type LoginCode,
  loginCodeOf,
} from '../sessions/code-answers.js'
import { type Claim, Once } from '../sessions/once.js'
import type { SessionStore } from '../sessions/store.js'
import type { ReportFailure } from './report-failure.js'

/** WeChat forgets a code after five minutes; until then this remembers that it was sent. */
const CODE_LIFETIME_MS = 5 * 60_000
/** What the store knows of a code that was used, when its answer has gone. */
const USED = 'used'

/** Exchanges a code by the way of its app, within its deadline. */
export type ExchangeCode = (app: App, code: string) => Promise<Identity>

/** What a login code was exchanged for. */
export interface ExchangedCode {
  readonly identity: Identity
  /** When the code was claimed, by the clock of the store, in microseconds since 1970. */
  readonly beganAt: number
}

/** What a use of a code has come to: the result, and what the others are told who bring the code. */
export interface UsedCode<Result> {
  readonly result: Result
  readonly grant: CodeGrant
}

/** What a request wants a login code for. */
export interface CodeUse<Result> {
  /** What fails when it fails, for the log: `a login`. */
  readonly name: string
  /** Called for the one request that may use the code. */
  use(exchanged: ExchangedCode): Promise<UsedCode<Result>>
  /** Called for the others, with what the code was good for. */
  reuse(grant: CodeGrant, code: LoginCode): Promise<Result>
}

interface LoginCodesParts {
  readonly store: Required<SessionStore>
  readonly exchange: ExchangeCode
  readonly report: ReportFailure
  /** How long somebody else's use of the same code is waited for, in milliseconds. */
  readonly patienceMs: number
}

/**
 * Sees to it that a login code is used once, however many requests and processes bring it, and that all of
 * them learn what became of it.
 */
export class LoginCodes {
  readonly #exchange: ExchangeCode
  readonly #report: ReportFailure
  readonly #patienceMs: number
  readonly #background = new BackgroundWork()
  readonly #once: Once
  readonly #answers: CodeAnswers

  constructor({ store, exchange, report, patienceMs }: LoginCodesParts) {
    this.#exchange = exchange
    this.#report = report
    this.#patienceMs = patienceMs
    this.#once = new Once({ store, background: this.#background })
    this.#answers = new CodeAnswers(store)
  }

  /**
   * Exchanges the code and uses it; or waits for the request that does so, and reuses what that got. Throws
   * what exchange and use throw, to the others as far as it is for them; `ERR_CODE_INVALID`,
   * `ERR_STORE_UNAVAILABLE`.
   */
  async redeem<Result>(app: App, code: string, use: CodeUse<Result>): Promise<Result> {
    const redemption = this.#redeem(app, loginCodeOf(app.appid, code), use)
    this.#background.add(redemption)
    return redemption
  }

  /** Resolves when the redemptions under way have ended, well or not, and what they told has been written. */
  async idle(): Promise<void> {
    await this.#background.idle()
  }

  async #redeem<Result>(app: App, code: LoginCode, { name, use, reuse }: CodeUse<Result>): Promise<Result> {
    const claimed = await this.#once.claim({
      id: code.id,
      lifetimeMs: CODE_LIFETIME_MS,
      patienceMs: this.#patienceMs,
    })
    if (claimed.state === 'pending') throw codeUsedUp()
    if (claimed.state === 'settled') return reuse(await this.#answers.find(code), code)
    const { claim } = claimed
    let isExchanged = false
    try {
      const identity = await this.#exchange(app, code.code)
      isExchanged = true
      const { result, grant } = await use({ identity, beganAt: claim.grantedAt })
      this.#background.add(this.#settle(code, claim, grant))
      return result
    } catch (error) {
      const isGivenBack = !isExchanged && isCodeStillGood(error)
      this.#background.add(
        isGivenBack ? this.#once.release(claim) : this.#settle(code, claim, refusalOf(error)),
      )
      this.#report(name, error)
      throw error
    }
  }

  /** The answer first: who waits for the code looks for it as soon as the code is settled. */
  async #settle(code: LoginCode, claim: Claim, answer: CodeGrant | CodeRefusal): Promise<void> {
    try {
      await this.#answers.keep(code, answer)
    } finally {
      await this.#once.settle(claim, USED, CODE_LIFETIME_MS)
    }
  }
}

function isCodeStillGood(error: unknown): boolean {
  return error instanceof WeappError && kindOf(error.code).codeStillGood
}

/**
 * What the others are told of a failure. Trouble of this server, and whose code it was, is none of their
 * business.
 */
function refusalOf(error: unknown): CodeRefusal {
  const isForAll = error instanceof WeappError && error.status < 500 && error.code !== 'ERR_USER_CHANGED'
  const { code, message } = isForAll ? error : codeUsedUp()
  return { error: code, message }
}
