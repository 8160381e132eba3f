import type { Clock } from '../clock.js'
import type { Logger } from '../logger.js'
import { ThrottledLog } from '../throttled-log.js'

/** What a line says of one user or session. Openids of other platforms may be short, and have any signs. */
const PARTICULARS = /\b(user|session) \S+/g

/**
 * Returns a logger that writes one line of a kind a minute, with how many more there were. Lines that differ
 * in the user or the session are of one kind: whoever has many accounts must not fill the log.
 */
export function throttledLogger(logger: Logger, clock: Clock): Logger {
  const log = new ThrottledLog(logger, clock)
  const write = (level: keyof Logger) => (line: string) => {
    log.write(level, line.replace(PARTICULARS, '$1'), line)
  }
  return { warn: write('warn'), error: write('error') }
}
