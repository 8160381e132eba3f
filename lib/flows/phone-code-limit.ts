import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { Counter } from '../sessions/counter.js'
import type { UserRef } from '../sessions/session.js'
import type { SessionStore } from '../sessions/store.js'

/** Codes of a user that WeChat may refuse within {@link WINDOW_MS}. */
const MOST_FAILURES = 8
const WINDOW_MS = 600_000

interface PhoneCodeLimitParts {
  readonly store: Required<SessionStore>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Bounds the invalid codes of phone number buttons for each user, in all sessions and processes: each is a
 * call to WeChat, whose quota belongs to all users.
 */
export class PhoneCodeLimit {
  readonly #codes: Counter
  readonly #logger: Logger

  constructor({ store, clock, logger }: PhoneCodeLimitParts) {
    this.#codes = new Counter({ store, clock, purpose: 'invalid phone code', windowMs: WINDOW_MS })
    this.#logger = logger
  }

  /**
   * Exchanges a code of a user. It is counted before, so that codes that arrive together do not get past the
   * count, and no longer if WeChat did not refuse it. Throws `ERR_PHONE_CODE_LIMIT` and what `exchange`
   * throws.
   */
  async within<T>(user: UserRef, exchange: () => Promise<T>): Promise<T> {
    await this.#count(user)
    let isRefused = false
    try {
      return await exchange()
    } catch (error) {
      isRefused = error instanceof WeappError && error.code === 'ERR_PHONE_CODE_INVALID'
      throw error
    } finally {
      // A count that stays is on the safe side.
      if (!isRefused) await this.#codes.takeBack(user).catch(() => undefined)
    }
  }

  async forget(user: UserRef): Promise<void> {
    await this.#codes.forget(user)
  }

  async #count({ appid, openid }: UserRef): Promise<void> {
    const codes = await this.#codes.add({ appid, openid })
    if (codes <= MOST_FAILURES) return
    if (codes === MOST_FAILURES + 1) {
      this.#logger.warn(
        `WeChat refused ${MOST_FAILURES} phone number codes of the user ${openid} of ${appid} within minutes, as when ` +
          'somebody invents them: more is refused for a while',
      )
    }
    throw new WeappError(
      'ERR_PHONE_CODE_LIMIT',
      'Too many codes of the phone number button were invalid. Please try again later.',
    )
  }
}
