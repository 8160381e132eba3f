import { chinaDayOf } from './china-day.js'
import { checkOptions, type OptionCheck } from './option-checks.js'

const MINUTE_MS = 60 * 1000
const REMEMBERED_CALLERS = 100_000

/**
 * How many calls WeChat accepts before it refuses more: an integer from 0, or `Infinity` for no limit.
 * Minutes and days are those of the sandbox's clock; a day begins at midnight in China.
 *
 * A call counts as soon as its secret or access token is right, even if it fails later on. One that the
 * minute refuses does not count for the day. Errcodes from `misbehave` do not count.
 */
export interface SandboxQuotas {
  /**
   * Codes that `/sns/jscode2session` exchanges for one user of one app in a minute; one more gets 45011 and
   * stays unused. Invalid and used codes do not count. Default 100, as documented until 2020; today's
   * documentation names no number.
   */
  code2SessionPerUserPerMinute?: number
  /** Calls of `/cgi-bin/stable_token` by one app in a minute; more get 45011. Default 10,000. */
  stableTokenPerMinute?: number
  /** Calls of `/cgi-bin/stable_token` by one app in a day; more get 45009. Default 500,000. */
  stableTokenPerDay?: number
  /** Calls of `/wxa/resetusersessionkey` by one app in a minute; more get 45011. Default 60,000. */
  resetUserSessionKeyPerMinute?: number
}

type QuotaName = keyof SandboxQuotas

interface Quota {
  limit: number
  windowOf: (now: number) => number
  errcode: number
}

const minutely = { windowOf: (now: number) => Math.floor(now / MINUTE_MS), errcode: 45011 }
const daily = { windowOf: chinaDayOf, errcode: 45009 }

const DOCUMENTED: Readonly<Record<QuotaName, Quota>> = {
  code2SessionPerUserPerMinute: { limit: 100, ...minutely },
  stableTokenPerMinute: { limit: 10_000, ...minutely },
  stableTokenPerDay: { limit: 500_000, ...daily },
  resetUserSessionKeyPerMinute: { limit: 60_000, ...minutely },
}

export class Quotas {
  readonly #clock: () => number
  readonly #limits: SandboxQuotas
  readonly #counters = new Map<QuotaName, WindowCounter>()

  constructor(clock: () => number, limits: SandboxQuotas) {
    this.#clock = clock
    this.#limits = { ...limits }
  }

  /** Counts a call of an app or a user. Returns an errcode if the quota is used up. */
  spend(name: QuotaName, caller: string): number | undefined {
    const { limit, windowOf, errcode } = DOCUMENTED[name]
    const counter = this.#counters.get(name) ?? new WindowCounter()
    this.#counters.set(name, counter)
    const isWithin = counter.countUpTo(this.#limits[name] ?? limit, caller, windowOf(this.#clock()))
    return isWithin ? undefined : errcode
  }
}

/** Counts the calls in one window of time. Too many callers push out the oldest. */
class WindowCounter {
  readonly #counts = new Map<string, number>()
  #window: number | undefined

  countUpTo(limit: number, caller: string, window: number): boolean {
    if (window !== this.#window) this.#counts.clear()
    this.#window = window
    const before = this.#counts.get(caller) ?? 0
    if (before >= limit) return false
    this.#counts.set(caller, before + 1)
    const [oldest = ''] = this.#counts.keys()
    if (this.#counts.size > REMEMBERED_CALLERS) this.#counts.delete(oldest)
    return true
  }
}

export function checkQuotas(quotas: SandboxQuotas): void {
  const amount: OptionCheck = ['an integer from 0, or Infinity', isAmount]
  checkOptions<SandboxQuotas>('createSandbox: quotas', quotas, {
    code2SessionPerUserPerMinute: amount,
    stableTokenPerMinute: amount,
    stableTokenPerDay: amount,
    resetUserSessionKeyPerMinute: amount,
  })
}

function isAmount(value: unknown): boolean {
  return value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && Number(value) >= 0)
}
