import { withinDeadline, withSignal } from '../deadline.js'
import { WeappError } from '../errors.js'
import { type CheckedIdentity, type CodeExchange, type Identity, isOpenid } from '../exchange.js'
import { Secret } from '../secret.js'
import { framesOf, nameOf } from '../stack-frames.js'
import { isText } from './response.js'
import { invalidResponse } from './transport.js'

/** The app whose code is exchanged. An exchange gets the text of the secret. */
interface GuardedApp {
  readonly appid: string
  readonly secret: Secret
}

/** An exchange that ignores its signal is abandoned this much later. */
const GRACE_MS = 100

/**
 * Holds an exchange to its contract: it ends within `timeoutMs` milliseconds, throws a `WeappError` and
 * returns an identity. Throws `ERR_WECHAT_NO_ANSWER`, `ERR_WECHAT_ANSWER_INVALID` and what the exchange
 * throws.
 */
export function guardExchange(timeoutMs: number) {
  return async (exchange: CodeExchange, app: GuardedApp, code: Secret): Promise<CheckedIdentity> => {
    try {
      const { appid, secret } = app
      const work = withSignal(timeoutMs, async (signal) =>
        exchange({ appid, secret: secret.reveal() }, code.reveal(), signal),
      )
      const identity = await withinDeadline(work, timeoutMs + GRACE_MS, () => noAnswer('it took too long'))
      return checkIdentity({ ...identity })
    } catch (error) {
      if (error instanceof WeappError) throw error
      throw noAnswer(`it threw something other than a WeappError${placeOf(error)}`)
    }
  }
}

/** Only openid and sessionKey are required: other fields have come and gone without notice. */
function checkIdentity({
  openid,
  sessionKey,
  unionid,
}: Partial<Record<keyof Identity, unknown>>): CheckedIdentity {
  if (!isOpenid(openid)) throw invalidResponse('a response without an openid')
  if (!isText(sessionKey)) throw invalidResponse('a response without a session_key')
  return { openid, sessionKey: new Secret(sessionKey), unionid: isText(unionid) ? unionid : undefined }
}

/** Where it was thrown, but not its message, which may repeat the AppSecret or the code. */
function placeOf(error: unknown): string {
  return error instanceof Error ? [`: ${nameOf(error)}`, ...framesOf(error)].join('\n') : ''
}

function noAnswer(hint: string): WeappError {
  const message = 'The platform did not respond. Log in again with a new code.'
  return new WeappError('ERR_WECHAT_NO_ANSWER', message, { hint: `the exchange of this app failed: ${hint}` })
}
