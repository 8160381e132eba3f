import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { ThrottledLog } from '../throttled-log.js'

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
  readonly #log: ThrottledLog

  constructor(logger: Logger, clock: Clock) {
    this.#log = new ThrottledLog(logger, clock)
  }

  report(error: unknown): void {
    if (!(error instanceof WeappError) || error.code !== 'ERR_SERVICE_TOKEN_INVALID') return
    const why = error.hint ?? 'for no stated reason'
    this.#log.write('warn', why, `a service token is refused: ${why}`)
  }
}
