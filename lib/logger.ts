/** Receives the few lines that an operator has to see; `console` will do. They never hold a credential. */
export interface Logger {
  warn(message: string): void
  error(message: string): void
}

export const stderrLogger: Logger = {
  warn: (message) => void process.stderr.write(`weapp-session: ${message}\n`),
  error: (message) => void process.stderr.write(`weapp-session: ${message}\n`),
}

export function unfailing(logger: Logger): Logger {
  const attempt = (write: () => void) => {
    try {
      write()
    } catch {
      // There is nowhere left to report this.
    }
  }
  return {
    warn: (message) => attempt(() => logger.warn(message)),
    error: (message) => attempt(() => logger.error(message)),
  }
}
