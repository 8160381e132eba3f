import type { Logger } from '../../lib/logger.js'

/** A logger that keeps its lines, each with its level in front. */
export interface KeptLog extends Logger {
  readonly lines: string[]
}

export function keptLog(): KeptLog {
  const lines: string[] = []
  return {
    lines,
    warn: (message) => lines.push(`warn: ${message}`),
    error: (message) => lines.push(`error: ${message}`),
  }
}
