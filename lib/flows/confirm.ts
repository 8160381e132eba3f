import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Apps } from '../sessions/apps.js'
import type { Counter } from '../sessions/counter.js'
import type { SessionRef, SessionSelector, UserRef } from '../sessions/session.js'
import type { SessionRegistry } from '../sessions/session-registry.js'
import { checkCode } from '../wechat/code2session.js'
import { unknownSession } from './authenticate.js'
import type { CallOnConfirm } from './hooks.js'
import { namedSession } from './named-user.js'
import { requireFields } from './received-data.js'
import type { WechatCalls } from './wechat-calls.js'

/** Confirmations of a user that may fail within {@link CONFIRMATION_WINDOW_MS}. */
const MOST_FAILURES = 5
export const CONFIRMATION_WINDOW_MS = 600_000

/** What shows that the user acts: `{ phoneCode }`, or whatever `onConfirm` judges. */
export type ConfirmationProof = Readonly<Record<string, unknown>>

/** Resolves to when the user confirmed, by the clock of the store. */
export type Confirm = (session: SessionSelector, proof: ConfirmationProof) => Promise<Date>

interface ConfirmParts {
  readonly apps: Apps
  readonly registry: SessionRegistry
  /** Counts failed confirmations, and those in progress. */
  readonly confirmations: Counter
  /** Undefined: the phone number button. */
  readonly callOnConfirm: CallOnConfirm | undefined
  readonly phoneNumber: WechatCalls['phoneNumber']
  readonly logger: Logger
}

/**
 * Makes the use case "confirm": the check of the proof, and three round trips to the store. An attempt is
 * counted before the proof is looked at, so that guesses that arrive together do not get past the count.
 */
export function createConfirm(parts: ConfirmParts): Confirm {
  const { apps, registry, confirmations, callOnConfirm, phoneNumber, logger } = parts

  return async function confirm(selector, given) {
    const session = namedSession(apps, selector)
    const proof = requireFields(given)
    if (!callOnConfirm) checkCode(proof.phoneCode as string, 'bindgetphonenumber')
    const user = { appid: session.appid, openid: session.openid }
    await countAttempt(user)
    try {
      await check(session, proof)
    } catch (error) {
      if (!isRefusal(error)) await takeBack(user)
      throw error
    }
    const [confirmedAt] = await Promise.all([registry.confirm(session), takeBack(user)])
    if (confirmedAt === undefined) throw unknownSession()
    return new Date(confirmedAt)
  }

  async function countAttempt(user: UserRef): Promise<void> {
    const attempts = await confirmations.add(user)
    if (attempts <= MOST_FAILURES) return
    if (attempts === MOST_FAILURES + 1) {
      logger.warn(
        `the user ${user.openid} of ${user.appid} failed to confirm an action ${MOST_FAILURES} times within ` +
          'minutes, as when somebody guesses: more is refused for a while',
      )
    }
    throw new WeappError(
      'ERR_CONFIRMATION_LIMIT',
      'Too many confirmations have failed. Please try again later.',
    )
  }

  async function check(session: SessionRef, proof: ConfirmationProof): Promise<void> {
    const { appid, openid } = session
    if (callOnConfirm) {
      if (await callOnConfirm({ ...session, proof })) return
      throw new WeappError('ERR_CONFIRMATION_REFUSED', 'This does not confirm the action.')
    }
    await phoneNumber({ code: proof.phoneCode as string, appid, openid, keep: false })
  }

  /** A count that stays is on the safe side. */
  async function takeBack(user: UserRef): Promise<void> {
    await confirmations.takeBack(user).catch(() => undefined)
  }
}

/** Whether the proof was judged and found wrong, and not something else in the way. */
function isRefusal(error: unknown): boolean {
  return error instanceof WeappError && error.status < 500 && error.status !== 429
}
