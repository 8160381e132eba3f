import type { Request } from 'express'
import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { AdminAction } from '../flows/audit.js'
import type { FailureLog } from '../flows/failure-log.js'
import { HOOK_TIMEOUT_MS } from '../flows/hooks.js'
import { tookTooLong } from '../flows/thrown.js'

/**
 * Says who acts: a name for the audit; undefined, null, false or a blank text, as of an empty header: nobody
 * who may. It gets the action, so that not every operator may do everything. A `WeappError` that it throws is
 * sent; any other error, and any other return value, goes to `next`. It may take 5 seconds.
 *
 * @example
 * const authorize: Authorize = async (req, action) => {
 *   const operator = await operatorOf(req)
 *   return operator?.mayDo(action) && operator.name
 * }
 */
export type Authorize = (
  req: Request,
  action: AdminAction,
) => string | false | null | undefined | Promise<string | false | null | undefined>

/**
 * Returns who acts. Throws `ERR_NOT_AUTHORIZED`, `ERR_HOOK_FAILED` when it took too long, and what
 * `authorize` throws.
 */
export async function whoActs(
  authorize: Authorize,
  req: Request,
  action: AdminAction,
  failureLog: FailureLog,
  timeoutMs: number = HOOK_TIMEOUT_MS,
): Promise<string> {
  const answer = (async () => authorize(req, action))()
  const who: unknown = await withinDeadline(answer, timeoutMs, () => tooSlow(timeoutMs, failureLog))
  const name = typeof who === 'string' && who.trim() === '' ? undefined : who
  if (typeof name === 'string') return name
  if (name === undefined || name === null || name === false) {
    throw new WeappError('ERR_NOT_AUTHORIZED', 'You are not authorized to do this.')
  }
  throw new TypeError('authorize must return the name of who acts, or undefined')
}

function tooSlow(timeoutMs: number, failureLog: FailureLog): WeappError {
  const cause = tookTooLong(timeoutMs)
  failureLog.reportFault(`authorize failed: ${cause.message}`)
  return new WeappError('ERR_HOOK_FAILED', 'Something went wrong on the server. Please try again later.', {
    cause,
  })
}
