import { type ErrorCode, WeappError } from '../errors.js'
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
/** What the store still knows of a used code when its answer is gone. */
const USED = 'used'

/** WeChat did not use the code up when its exchange failed with one of these: it may be sent again. */
const CODE_STILL_GOOD: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_SERVER_MISCONFIGURED',
  'ERR_WECHAT_BUSY',
  'ERR_WECHAT_QUOTA',
  'ERR_WECHAT_RATE_LIMITED',
  'ERR_WECHAT_UNREACHABLE',
])

/** Exchanges a code by the way of its app, within its deadline. */
export type ExchangeCode = (app: App, code: string) => Promise<Identity>

/** What a login code was exchanged for. */
export interface ExchangedCode {
  readonly identity: Identity
  /** When the code was claimed, by the clock of the store, in microseconds since 1970. */
  readonly beganAt: number
}

/** What the use of a code came to: its result, and what others who bring the code are told. */
export interface UsedCode<Result> {
  readonly result: Result
  readonly grant: CodeGrant
}

/** What a request wants a login code for. */
export interface CodeUse<Result> {
  /** What the log calls it when it fails, such as `a login`. */
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
 * Uses each login code once, however many requests and processes bring it, and lets all of them know what
 * became of it.
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
   * Exchanges the code and uses it; or waits for the request that does, in this process or another one, and
   * reuses what that got. Throws what the exchange or the use throws (others get `ERR_CODE_INVALID` where it
   * does not concern them) and `ERR_STORE_UNAVAILABLE`.
   */
  async redeem<Result>(app: App, code: string, use: CodeUse<Result>): Promise<Result> {
    const redemption = this.#redeem(app, loginCodeOf(app.appid, code), use)
    this.#background.add(redemption)
    return redemption
  }

  /** Resolves when no redemption is under way and what they leave to the others has been written. */
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
  return error instanceof WeappError && CODE_STILL_GOOD.has(error.code)
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
