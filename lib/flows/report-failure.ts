import type { Clock } from '../clock.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'

/** How long a kind of failure is not told again, in milliseconds. */
const PAUSE_MS = 60_000
/** Of so many kinds it is remembered when they were told; one more forgets the oldest. */
const MOST_KINDS = 100

/** Tells the log what failed, and why. */
export type ReportFailure = (what: string, error: unknown) => void

interface Told {
  readonly at: number
  /** How often it has failed since. */
  failures: number
}

/**
 * Makes that report. The operator hears of what the operator has to mend, once a minute for each kind, and not of each code that is no
 * good: anybody can send those.
 */
export function createFailureReport(logger: Logger, clock: Clock): ReportFailure {
  const told = new Map<string, Told>()

  return (what, error) => {
    if (!(error instanceof WeappError) || error.hint === undefined) return
    if (error.status < 500 && error.status !== 429) return
    const line = `${what} failed with ${error.code}: ${error.hint}`
    const kind = withoutParticulars(line)
    const before = told.get(kind)
    const now = clock()
    if (before && Math.abs(now - before.at) < PAUSE_MS) {
      before.failures += 1
      return
    }
    told.delete(kind)
    for (const oldest of told.keys()) {
      if (told.size < MOST_KINDS) break
      told.delete(oldest)
    }
    told.set(kind, { at: now, failures: 0 })
    const more = before && before.failures > 0 ? `; ${before.failures} more since it was told last` : ''
    if (error.status >= 500) logger.error(line + more)
    else logger.warn(line + more)
  }
}

/** What WeChat says of the one request, such as its id, makes no other kind of failure. */
function withoutParticulars(line: string): string {
  return line.replace(/,? rid [\w-]+/, '')
}
