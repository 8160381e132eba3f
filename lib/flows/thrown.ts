import { classOf, framesOf, nameOf } from '../stack-frames.js'

const MOST_CAUSES = 5
const MOST_MESSAGE_LENGTH = 1000
/** What stands between blanks, quotes and brackets. */
const WORD = /[^\s"'`“”()[\]{}<>]+/g
/** Letters, a name with dots or underscores, or a number too short to be a code, perhaps with a stop. */
const PLAIN_WORD = /^(?:[\p{L}_$]{1,30}(?:\.[\p{L}_$]{1,30})?|\d{1,5})[,.:;!?]{0,2}$/u

export function tookTooLong(timeoutMs: number): Error {
  return new Error(`it took longer than ${timeoutMs} ms`)
}

/**
 * Returns what the application threw as an Error that may be shown: the names, the plain words of the
 * messages and the stack frames of it and of its causes, with `…` for words that may be a secret. The error
 * of an HTTP client carries the request with its tokens, and a Response its URL: nothing of them is kept.
 */
export function shownError(thrown: unknown): Error {
  return shown(thrown, 1)
}

/** Returns the same as text, for the operator's log. */
export function stackOf(thrown: unknown): string {
  const stacks: string[] = []
  for (let error: unknown = shownError(thrown); error instanceof Error; error = error.cause) {
    stacks.push(String(error.stack))
  }
  return stacks.join('\ncaused by ')
}

/** Whatever is thrown is read with care: a getter of it may throw, too. */
function shown(thrown: unknown, depth: number): Error {
  try {
    if (!(thrown instanceof Error)) {
      return errorOf('Error', `it threw something that is not an Error: ${kindOf(thrown)}`, [])
    }
    const { message, cause } = thrown
    const error = errorOf(nameOf(thrown), plainWordsOf(String(message)), framesOf(thrown))
    if (cause instanceof Error && depth < MOST_CAUSES) error.cause = shown(cause, depth + 1)
    return error
  } catch {
    return errorOf('Error', 'it threw something that cannot be read', [])
  }
}

function errorOf(name: string, message: string, frames: readonly string[]): Error {
  const error = new Error(message)
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  error.stack = [message === '' ? name : `${name}: ${message}`, ...frames].join('\n')
  return error
}

function plainWordsOf(message: string): string {
  const start = message.slice(0, MOST_MESSAGE_LENGTH)
  return start.replaceAll(WORD, (word) => (PLAIN_WORD.test(word) ? word : '…'))
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? `an object of the class ${classOf(value)}` : typeof value
}
