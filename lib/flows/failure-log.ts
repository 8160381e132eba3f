import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { shownError, stackOf } from './thrown.js'

const PAUSE_MS = 60_000
/** Of so many kinds it is remembered when they were told; one more forgets the oldest. */
const MOST_KINDS = 100

interface ToldFailure {
  readonly at: number
  failures: number
}

/**
 * Tells the log what the operator has to mend, and that logins are refused: each kind once a minute, with how
 * many more there were since. Whoever can cause a failure again and again must not fill the log.
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
    this.#write(error.status >= 500 ? 'error' : 'warn', withoutParticulars(line), line)
  }

  /** Tells that logins are refused: one line for each app and code a minute, with how many more. */
  reportRefused(appid: string | undefined, error: WeappError): void {
    // `report` has told these.
    if (error.status === 429 && error.hint !== undefined) return
    const why = error.hint === undefined ? '' : `: ${error.hint}`
    const kind = `logins of ${appid ?? 'an unknown app'} are refused with ${error.code}`
    this.#write('warn', kind, kind + why)
  }

  /** Tells that a hook of the application has failed: errors of one class are one kind. */
  reportHook(name: string, error: unknown): void {
    this.#write('error', `${name} ${shownError(error).name}`, `${name} failed: ${stackOf(error)}`)
  }

  /** Tells of something else, which is a kind of its own. */
  reportFault(line: string): void {
    this.#write('error', line, line)
  }

  /** Tells that a fault has ended. */
  reportEnd(line: string): void {
    this.#write('warn', line, line)
  }

  #write(level: keyof Logger, kind: string, line: string): void {
    const before = this.#told.get(kind)
    const now = this.#clock()
    if (before && Math.abs(now - before.at) < PAUSE_MS) {
      before.failures += 1
      return
    }
    this.#remember(kind, now)
    const more = before && before.failures > 0 ? `; ${before.failures} more since it was last logged` : ''
    this.#logger[level](line + more)
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
