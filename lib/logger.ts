import { objectWithMethods } from './options.js'

/** Receives the few lines that an operator has to see; `console` will do. They never hold a credential. */
export interface Logger {
  warn(message: string): void
  error(message: string): void
}

/** Line ends that are not those of a stack, and all other control characters: of a terminal, for example. */
const NOT_OF_ONE_LINE = /\n(?! {4}at |caused by )|[^\P{Cc}\n]|[\u2028\u2029]/gu

export const stderrLogger: Logger = { warn: writeToStderr, error: writeToStderr }

/**
 * Returns what an option `logger` is used as: nothing that it throws or rejects with breaks the request of
 * which it is told, and no line that it gets looks like several. Throws a `TypeError` for what is no logger.
 */
export function loggerOption(where: string, given: Logger = stderrLogger): Logger {
  const logger = objectWithMethods(where, given, ['warn', 'error'], 'a Logger such as console')
  const write = (level: keyof Logger) => (message: string) => {
    try {
      // One that is async returns a promise, whatever its type says.
      const written: unknown = logger[level](message.replace(NOT_OF_ONE_LINE, ' '))
      Promise.resolve(written).catch(ignored)
    } catch {
      // There is nowhere left to report this.
    }
  }
  return { warn: write('warn'), error: write('error') }
}

/** Nobody may read stderr any more, and an `error` of a stream to which nobody listens ends the process. */
function writeToStderr(message: string): void {
  const { stderr } = process
  stderr.write(`weapp-session: ${message}\n`, (error) => {
    if (!error) return
    // It is emitted before this turn ends.
    stderr.once('error', ignored)
    setImmediate(() => stderr.off('error', ignored))
  })
}

function ignored(): void {}
