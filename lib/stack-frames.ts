const NAME = /^[A-Za-z_$][\w$]{0,60}$/
const FRAME = /^ {4}at .{1,300}$/

/** Returns the name of an error, such as `TypeError`. */
export function nameOf(error: Error): string {
  const { name } = error
  return typeof name === 'string' && NAME.test(name) ? name : 'Error'
}

/** Returns the name of the class of an object. */
export function classOf(value: object): string {
  const name: unknown = value.constructor?.name
  return typeof name === 'string' && NAME.test(name) ? name : 'Object'
}

/**
 * Returns where an error was thrown, a line for each call, without its message: that may repeat a secret, and
 * one of its lines may look like a frame.
 */
export function framesOf({ message, stack }: Error): readonly string[] {
  if (typeof stack !== 'string') return []
  const start = typeof message === 'string' ? stack.indexOf(message) : -1
  // Without its message at the beginning, it cannot be told where the frames begin.
  return start < 0
    ? []
    : stack
        .slice(start + message.length)
        .split('\n')
        .filter((line) => FRAME.test(line))
}
