import { withinDeadline } from '../deadline.js'
import { type ErrorCode, WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { throughJson } from '../sessions/session-data.js'
import type { UserInfo } from '../sessions/user-info.js'

/** How long a hook may take, in milliseconds. */
export const HOOK_TIMEOUT_MS = 5000

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
 * Called before a session is issued. Its answer, which JSON must be able to carry, is kept as `session.data`, which `sessions.setData`
 * changes, and does not change with the tables that it came from: a row is found by appid and openid, not by an id kept there. Throwing, or
 * taking longer than 5 seconds, refuses the login with `ERR_LOGIN_REFUSED`.
 *
 * @example
 * const onLogin = async ({ appid, openid }) => ({ role: await users.roleOf(appid, openid) })
 */
export type OnLogin = (event: LoginEvent) => unknown

/** What `onUserInfo` is told. */
export interface UserInfoEvent {
  readonly appid: string
  readonly openid: string
  /** The profile as it will be; null when it is deleted. */
  readonly userInfo: UserInfo | null
}

/**
 * Called before a profile is changed, also by a login that brings one, and then before `onLogin`. Throwing, or taking longer than 5
 * seconds, refuses the change, and the login with it, with `ERR_USER_INFO_REFUSED`; the answer is not used. `onLogin` may refuse a login
 * after it, so at a login it judges, and `onLogin` writes.
 *
 * @example
 * const onUserInfo = ({ userInfo }) => {
 *   if (isForbidden(userInfo?.nickName)) throw new Error('this name is not for everybody')
 * }
 */
export type OnUserInfo = (event: UserInfoEvent) => unknown

/** A hook by its name, and what its refusal is called. */
interface Hook<Event> {
  readonly name: 'onLogin' | 'onUserInfo'
  readonly call: (event: Event) => unknown
  readonly refusal: ErrorCode
  readonly logger: Logger
}

/** Asks a hook, and tells the log why it refuses. Its answer is given as a later request will find it: after its way through JSON. */
export async function askHook<Event>(
  { name, call, refusal, logger }: Hook<Event>,
  event: Event,
): Promise<unknown> {
  try {
    const answer = (async () => call(event))()
    return throughJson(await withinDeadline(answer, HOOK_TIMEOUT_MS, () => new Error('it took too long')))
  } catch (cause) {
    // Its message is the application's, and may hold anything.
    logger.warn(
      `${name} refused with ${cause instanceof Error ? cause.name : 'something that is not an Error'}`,
    )
    throw new WeappError(refusal, 'The server refused this.', { cause })
  }
}

/** Asks `onUserInfo`, if there is one, before a profile is written, wherever that happens. Throws `ERR_USER_INFO_REFUSED`. */
export type AskAboutProfile = (event: UserInfoEvent) => Promise<void>

/** Makes that question. */
export function createAskAboutProfile(call: OnUserInfo | undefined, logger: Logger): AskAboutProfile {
  return async (event) => {
    if (call) await askHook({ name: 'onUserInfo', call, refusal: 'ERR_USER_INFO_REFUSED', logger }, event)
  }
}
