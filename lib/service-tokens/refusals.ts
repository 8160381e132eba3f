import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'

const PAUSE_MS = 60_000

/** The same for whatever is wrong with a token; `why` is for the log, a constant text. */
export function refusedToken(why: string): WeappError {
  return new WeappError(
    'ERR_SERVICE_TOKEN_INVALID',
    'This token is not valid here, or no longer. Get a new one and send the request again.',
    { hint: why },
  )
}

/**
 * Tells the log why tokens are refused, each reason once a minute: an attack is to be seen, not to fill it.
 */
export class RefusalLog {
  readonly #logger: Logger
  readonly #clock: Clock
  /** By reason, of which there are only those in this package. */
  readonly #told = new Map<string, { readonly at: number; more: number }>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  report(error: unknown): void {
    if (!(error instanceof WeappError) || error.code !== 'ERR_SERVICE_TOKEN_INVALID') return
    const why = error.hint ?? 'for no stated reason'
    const [now, before] = [this.#clock(), this.#told.get(why)]
    if (before && Math.abs(now - before.at) < PAUSE_MS) {
      before.more += 1
      return
    }
    this.#told.set(why, { at: now, more: 0 })
    const more = before && before.more > 0 ? `; ${before.more} more since it was last logged` : ''
    this.#logger.warn(`a service token is refused: ${why}${more}`)
  }
}
