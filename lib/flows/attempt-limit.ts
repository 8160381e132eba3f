import type { Clock } from '../clock.js'
import type { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { Counter } from '../sessions/counter.js'
import type { BackgroundWork } from '../sessions/once.js'
import type { UserRef } from '../sessions/session.js'
import type { SessionStore } from '../sessions/store.js'

/** How long a count lasts from its first attempt. */
const WINDOW_MS = 600_000

/** What is limited for each user, and what is said of it. */
export interface AttemptRule {
  /** Separates the counts of one rule from those of others. */
  readonly purpose: string
  /** How many attempts may fail, or be in progress, within ten minutes. */
  readonly mostFailures: number
  /** Whether an attempt was looked at and found wrong, and not something else in the way. */
  isFailure(error: unknown): boolean
  /** Returns what further attempts get. */
  refusal(): WeappError
  /** Returns what the log is told of a user who has failed so often. */
  lineFor(user: UserRef): string
}

interface AttemptLimitParts {
  readonly store: Required<SessionStore>
  readonly clock: Clock
  readonly logger: Logger
  readonly background: BackgroundWork
  readonly rule: AttemptRule
}

/** Limits what a user may get wrong, in all sessions and processes. */
export class AttemptLimit {
  readonly #parts: AttemptLimitParts
  readonly #attempts: Counter

  constructor(parts: AttemptLimitParts) {
    const { store, clock, rule } = parts
    this.#parts = parts
    this.#attempts = new Counter({ store, clock, purpose: rule.purpose, windowMs: WINDOW_MS })
  }

  /**
   * Makes an attempt. It is counted before, so that attempts that come together do not get past the count,
   * and no longer once it did not fail. One round trip before, and one that nobody waits for. Throws the
   * refusal of the rule, `ERR_STORE_UNAVAILABLE` and what `attempt` throws.
   */
  async within<T>(user: UserRef, attempt: () => Promise<T>): Promise<T> {
    await this.#count(user)
    let isFailure = false
    try {
      return await attempt()
    } catch (error) {
      isFailure = this.#parts.rule.isFailure(error)
      throw error
    } finally {
      // A count that stays is on the safe side.
      if (!isFailure) this.#parts.background.add(this.#attempts.takeBack(user))
    }
  }

  async forget(user: UserRef): Promise<void> {
    await this.#attempts.forget(user)
  }

  async #count(user: UserRef): Promise<void> {
    const { rule, logger } = this.#parts
    const attempts = await this.#attempts.add(user)
    if (attempts <= rule.mostFailures) return
    if (attempts === rule.mostFailures + 1) logger.warn(rule.lineFor(user))
    throw rule.refusal()
  }
}
