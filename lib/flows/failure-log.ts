import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { ThrottledLog } from '../throttled-log.js'
import { shownError, stackOf } from './thrown.js'

/**
 * Tells the log what the operator has to mend, and that logins are refused: each kind once a minute, with how
 * many more there were since. Whoever can cause a failure again and again must not fill the log.
 */
export class FailureLog {
  readonly #logger: Logger
  readonly #log: ThrottledLog
  /** The outages of which the log was told. */
  readonly #outages = new Set<string>()

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger
    this.#log = new ThrottledLog(logger, clock)
  }

  report(what: string, error: unknown): void {
    if (!(error instanceof WeappError) || error.hint === undefined) return
    if (error.status < 500 && error.status !== 429) return
    const line = `${what} failed with ${error.code}: ${error.hint}`
    this.#log.write(error.status >= 500 ? 'error' : 'warn', withoutParticulars(line), line)
  }

  /** Tells that logins are refused: one line for each app and code a minute, with how many more. */
  reportRefused(appid: string | undefined, error: WeappError): void {
    // `report` has told these.
    if (error.status === 429 && error.hint !== undefined) return
    const why = error.hint === undefined ? '' : `: ${error.hint}`
    const kind = `logins of ${appid ?? 'an unknown app'} are refused with ${error.code}`
    this.#log.write('warn', kind, kind + why)
  }

  /** Tells that a hook of the application has failed: errors of one class are one kind. */
  reportHook(name: string, error: unknown): void {
    this.#log.write('error', `${name} ${shownError(error).name}`, `${name} failed: ${stackOf(error)}`)
  }

  /** Tells of something else, which is a kind of its own. */
  reportFault(line: string): void {
    this.#log.write('error', line, line)
  }

  /**
   * Tells that something fails, whatever the reason is, once: an outage that begins within a minute of the
   * last line is told when it is reported again.
   */
  reportOutage(what: string, line: string): void {
    if (this.#outages.has(what)) return
    if (this.#log.write('error', `an outage of ${what}`, line)) this.#outages.add(what)
  }

  /** Tells that it works again, where that it failed was told. */
  reportEnd(what: string, line: string): void {
    if (this.#outages.delete(what)) this.#logger.warn(line)
  }
}

/** The id of a request, which WeChat tells, and its words do not make another kind of failure. */
function withoutParticulars(line: string): string {
  return line.replace(/,? rid [\w-]+/g, '').replace(/, saying: .*/, '')
}
