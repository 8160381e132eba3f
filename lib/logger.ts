/** Where the few lines go that an operator has to see. `console` fits. No line ever holds a credential. */
export interface Logger {
  warn(message: string): void
  error(message: string): void
}

/** Writes to stderr. */
export const stderrLogger: Logger = {
  warn: (message) => void process.stderr.write(`weapp-session: ${message}\n`),
  error: (message) => void process.stderr.write(`weapp-session: ${message}\n`),
}
