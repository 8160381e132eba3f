import { WeappError } from '../errors.js'
import type { Apps } from '../sessions/apps.js'
import type { SessionRef, SessionSelector } from '../sessions/session.js'
import type { SessionRegistry } from '../sessions/session-registry.js'
import { checkCode } from '../wechat/code2session.js'
import type { AttemptLimit, AttemptRule } from './attempt-limit.js'
import { unknownSession } from './authenticate.js'
import type { CallOnConfirm } from './hooks.js'
import { namedSession } from './named-user.js'
import { requireFields } from './received-data.js'
import type { WechatCalls } from './wechat-calls.js'

const MOST_FAILURES = 5

/** Whoever has a stolen token could guess the password or PIN that `onConfirm` judges. */
export const CONFIRMATIONS: AttemptRule = {
  purpose: 'failed confirmation',
  mostFailures: MOST_FAILURES,
  isFailure: (error) => error instanceof WeappError && error.status < 500 && error.status !== 429,
  refusal: () =>
    new WeappError('ERR_CONFIRMATION_LIMIT', 'Too many confirmations have failed. Please try again later.'),
  lineFor: ({ appid, openid }) =>
    `the user ${openid} of ${appid} failed to confirm an action ${MOST_FAILURES} times within minutes, as when ` +
    'somebody guesses: more is refused for a while',
}

/** What shows that the user acts: `{ phoneCode }`, or whatever `onConfirm` judges. */
export type ConfirmationProof = Readonly<Record<string, unknown>>

/** Resolves to when the user confirmed, by the clock of the store. */
export type Confirm = (session: SessionSelector, proof: ConfirmationProof) => Promise<Date>

interface ConfirmParts {
  readonly apps: Apps
  readonly registry: SessionRegistry
  readonly confirmations: AttemptLimit
  /** Undefined: the phone number button. */
  readonly callOnConfirm: CallOnConfirm | undefined
  readonly phoneNumber: WechatCalls['phoneNumber']
}

/** Makes the use case "confirm": the check of the proof, and three round trips to the store. */
export function createConfirm(parts: ConfirmParts): Confirm {
  const { apps, registry, confirmations, callOnConfirm, phoneNumber } = parts

  return async function confirm(selector, given) {
    const session = namedSession(apps, selector)
    const proof = requireFields(given)
    if (!callOnConfirm) checkCode(proof.phoneCode as string, 'bindgetphonenumber')
    const user = { appid: session.appid, openid: session.openid }
    await confirmations.within(user, () => check(session, proof))
    const confirmedAt = await registry.confirm(session)
    if (confirmedAt === undefined) throw unknownSession()
    return new Date(confirmedAt)
  }

  async function check(session: SessionRef, proof: ConfirmationProof): Promise<void> {
    const { appid, openid } = session
    if (callOnConfirm) {
      if (await callOnConfirm({ ...session, proof })) return
      throw new WeappError('ERR_CONFIRMATION_REFUSED', 'This does not confirm the action.')
    }
    await phoneNumber({ code: proof.phoneCode as string, appid, openid, keep: false })
  }
}
