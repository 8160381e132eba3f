import { inspect } from 'node:util'
import { expect } from 'chai'
import { type ErrorCode, WeappError } from '../../lib/errors.js'

/** What `work` throws or rejects with. Fails when it does neither. */
export async function failureOf(work: () => unknown): Promise<unknown> {
  let result: unknown
  try {
    result = await work()
  } catch (error) {
    return error
  }
  return expect.fail(`it answers ${inspect(result)} where it has to fail`)
}

/** The WeappError of this code that `work` ends in. */
export async function weappErrorOf(code: ErrorCode, work: () => unknown): Promise<WeappError> {
  const error = await failureOf(work)
  if (!(error instanceof WeappError) || error.code !== code) {
    return expect.fail(`expected ${code}, got ${inspect(error)}`)
  }
  return error
}

/** All that a log, a debugger or a careless handler could bring to light of an error, its causes included. */
export function everythingIn(error: unknown): string {
  const shown = [inspect(error, { depth: Infinity, showHidden: true }), JSON.stringify(error)]
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    shown.push(cause.message, String(cause.stack), JSON.stringify(cause, Object.getOwnPropertyNames(cause)))
  }
  return shown.join('\n')
}
