import { inspect } from 'node:util'

export function tookTooLong(timeoutMs: number): Error {
  return new Error(`it took longer than ${timeoutMs} ms`)
}

/** Returns message and stack of what the application threw, and of its causes, for the operator's log. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `it threw something that is not an Error: ${inspect(thrown)}`
  const stacks: string[] = []
  for (let error: unknown = thrown; error instanceof Error; error = error.cause) {
    const stack = error.stack ?? String(error)
    if (stacks.includes(stack)) break
    stacks.push(stack)
  }
  return stacks.join('\ncaused by ')
}
