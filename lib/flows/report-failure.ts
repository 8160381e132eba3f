import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'

/** The operator hears of what the operator has to mend, not of each code that is no good: anybody can send those. */
export function reportFailure(logger: Logger, what: string, error: unknown): void {
  if (!(error instanceof WeappError) || error.hint === undefined) return
  const line = `${what} failed with ${error.code}: ${error.hint}`
  if (error.status >= 500) logger.error(line)
  else if (error.status === 429) logger.warn(line)
}
