import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'

const PAUSE_MS = 60_000
/** Of so many kinds it is remembered when they were told; one more forgets the oldest. */
const MOST_KINDS = 100

interface ToldFailure {
  readonly at: number
  failures: number
}

/**
 * Tells the log what the operator has to mend, each kind of failure once a minute. Codes that are not valid
 * are not among them: anybody can send those.
 */
export class FailureLog {
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #told = new Map<string, ToldFailure>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#clock = clock
  }

  report(what: string, error: unknown): void {
    if (!(error instanceof WeappError) || error.hint === undefined) return
    if (error.status < 500 && error.status !== 429) return
    const line = `${what} failed with ${error.code}: ${error.hint}`
    const kind = withoutParticulars(line)
    const before = this.#told.get(kind)
    const now = this.#clock()
    if (before && Math.abs(now - before.at) < PAUSE_MS) {
      before.failures += 1
      return
    }
    this.#remember(kind, now)
    const more = before && before.failures > 0 ? `; ${before.failures} more since it was last logged` : ''
    if (error.status >= 500) this.#logger.error(line + more)
    else this.#logger.warn(line + more)
  }

  #remember(kind: string, now: number): void {
    this.#told.delete(kind)
    for (const oldest of this.#told.keys()) {
      if (this.#told.size < MOST_KINDS) break
      this.#told.delete(oldest)
    }
    this.#told.set(kind, { at: now, failures: 0 })
  }
}

/** The id of a request, which WeChat tells, does not make another kind of failure. */
function withoutParticulars(line: string): string {
  return line.replace(/,? rid [\w-]+/, '')
}
