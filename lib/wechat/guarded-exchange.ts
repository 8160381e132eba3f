import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import { type CodeExchange, type ExchangeApp, type Identity, isOpenid } from '../exchange.js'
import { isText } from './answer.js'
import { invalidAnswer } from './transport.js'

/**
 * An exchange that heeds its signal says itself why it ends; one that does not is abandoned this much later.
 */
const GRACE_MS = 100

/**
 * Holds exchanges to the rules, whoever wrote them: each ends within `timeoutMs` milliseconds, fails with a
 * `WeappError` and returns an identity. Throws `ERR_WECHAT_NO_ANSWER`, `ERR_WECHAT_ANSWER_INVALID` and what
 * the exchange throws.
 */
export function guardExchange(timeoutMs: number) {
  return async (exchange: CodeExchange, app: ExchangeApp, code: string): Promise<Identity> => {
    try {
      const { appid, secret } = app
      const work = exchange({ appid, secret }, code, AbortSignal.timeout(timeoutMs))
      const answer = await withinDeadline(work, timeoutMs + GRACE_MS, () => noAnswer('it took too long'))
      return checkIdentity({ ...answer })
    } catch (error) {
      throw error instanceof WeappError
        ? error
        : noAnswer(`it threw something other than a WeappError${placeOf(error)}`)
    }
  }
}

/** Only openid and sessionKey are required: other fields have come and gone without notice. */
function checkIdentity({ openid, sessionKey, unionid }: Partial<Record<keyof Identity, unknown>>): Identity {
  if (!isOpenid(openid)) throw invalidAnswer('a response without an openid')
  if (!isText(sessionKey)) throw invalidAnswer('a response without a session_key')
  return { openid, sessionKey, unionid: isText(unionid) ? unionid : undefined }
}

/** Where it was thrown, but not its message, which may repeat the AppSecret or the code. */
function placeOf(error: unknown): string {
  const frames = error instanceof Error ? error.stack?.match(/^ {4}at .*$/gm) : undefined
  return frames ? `: ${(error as Error).name}\n${frames.join('\n')}` : ''
}

function noAnswer(hint: string): WeappError {
  return new WeappError(
    'ERR_WECHAT_NO_ANSWER',
    'The platform did not respond. Log in again with a new code.',
    { hint: `the exchange of this app failed: ${hint}` },
  )
}
