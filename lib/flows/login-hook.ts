import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { UserInfo } from '../sessions/user-info.js'

/** How long `onLogin` may take, in milliseconds. */
export const ON_LOGIN_TIMEOUT_MS = 5000

/** What `onLogin` is told. */
export interface LoginEvent {
  readonly appid: string
  readonly openid: string
  readonly unionid: string | undefined
  /** Whether this user has logged in here before, as long as that is remembered: the `userInfoDurationDays` of the app. */
  readonly seenBefore: boolean
  /** The profile that came with this login, if any; `verified` tells whether WeChat vouched for it. */
  readonly userInfo: UserInfo | undefined
}

/**
 * Called before a session is issued. Its answer, which JSON must be able to carry, is kept as `session.data`; throwing, or
 * taking longer than 5 seconds, refuses the login.
 *
 * @example
 * const onLogin = async ({ appid, openid }) => ({ userId: await users.idFor(appid, openid) })
 */
export type OnLogin = (event: LoginEvent) => unknown

/** Asks the hook. Throws `ERR_LOGIN_REFUSED`. */
export async function askHook(onLogin: OnLogin, event: LoginEvent): Promise<unknown> {
  try {
    const answer = (async () => onLogin(event))()
    return plain(await withinDeadline(answer, ON_LOGIN_TIMEOUT_MS, () => new Error('it took too long')))
  } catch (cause) {
    const reason =
      cause instanceof Error ? `${cause.name}: ${cause.message}` : 'something that is not an Error'
    const hint = `onLogin threw ${reason}`
    throw new WeappError('ERR_LOGIN_REFUSED', 'This login was refused.', { cause, hint })
  }
}

/** The answer as a later request will find it, after its way through JSON. */
function plain(answer: unknown): unknown {
  return answer === undefined ? undefined : JSON.parse(JSON.stringify(answer) ?? 'null')
}
