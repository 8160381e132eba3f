import { inspect } from 'node:util'

/** That code of the application did not answer in time. */
export function tookTooLong(timeoutMs: number): Error {
  return new Error(`it took longer than ${timeoutMs} ms`)
}

/** What the application threw, as the operator needs it: message and stack, and those of what caused it. It may be anything. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `it threw what is no Error: ${inspect(thrown)}`
  const stacks: string[] = []
  for (let error: unknown = thrown; error instanceof Error; error = error.cause) {
    const stack = error.stack ?? String(error)
    if (stacks.includes(stack)) break
    stacks.push(stack)
  }
  return stacks.join('\ncaused by ')
}
