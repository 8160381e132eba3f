import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import { type SessionData, throughJson } from '../sessions/session-data.js'
import type { UserInfo } from '../sessions/user-info.js'
import { stackOf, tookTooLong } from './thrown.js'

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
 * Called before a session is issued. Its answer, which JSON must be able to carry in 4096 bytes, is kept as `session.data`, which
 * `sessions.setData` changes, and does not change with the tables that it came from: a row is found by appid and openid, not by an id kept
 * there. To refuse the login throw a `WeappError`: the phone gets its code and message. Throwing anything else, an answer that JSON cannot
 * carry or that is longer, or taking longer than 5 seconds is a fault of the server: `ERR_HOOK_FAILED`.
 *
 * @example
 * const onLogin = async ({ appid, openid }) => {
 *   const user = await users.find(appid, openid)
 *   if (user.isBanned) throw new WeappError('ERR_LOGIN_REFUSED', 'You are banned until Friday.')
 *   return { role: user.role }
 * }
 */
export type OnLogin = (event: LoginEvent) => SessionData | Promise<SessionData>

/** What `onUserInfo` is told. */
export interface UserInfoEvent {
  readonly appid: string
  readonly openid: string
  /** The profile as it will be; null when it is deleted. */
  readonly userInfo: UserInfo | null
}

/**
 * Called before a profile is changed, also by a login that brings one, and then before `onLogin`. To refuse the change, and the login
 * with it, throw a `WeappError`: the phone gets its code and message. Throwing anything else, or taking longer than 5 seconds, is a fault of the
 * server: `ERR_HOOK_FAILED`, and nothing is changed either. The answer is not used. `onLogin` may refuse a login after it, so at a login it
 * judges, and `onLogin` writes.
 *
 * @example
 * const onUserInfo = ({ userInfo }) => {
 *   if (isForbidden(userInfo?.nickName)) throw new WeappError('ERR_USER_INFO_REFUSED', 'This name is not for everybody.')
 * }
 */
export type OnUserInfo = (event: UserInfoEvent) => unknown

/** Asks `onLogin`. Its answer is given as a later request will find it: after its way through JSON. */
export function askAtLogin(
  call: OnLogin,
  event: LoginEvent,
  logger: Logger,
  timeoutMs: number = HOOK_TIMEOUT_MS,
): Promise<unknown> {
  return ask({ name: 'onLogin', answer: async () => throughJson(await call(event)), logger, timeoutMs })
}

/** Asks `onUserInfo`, if there is one, before a profile is written, wherever that happens. Throws what it refuses with, and `ERR_HOOK_FAILED`. */
export type AskAboutProfile = (event: UserInfoEvent) => Promise<void>

/** Makes that question. */
export function createAskAboutProfile(
  call: OnUserInfo | undefined,
  logger: Logger,
  timeoutMs: number = HOOK_TIMEOUT_MS,
): AskAboutProfile {
  return async (event) => {
    if (call) await ask({ name: 'onUserInfo', answer: async () => call(event), logger, timeoutMs })
  }
}

/** A call of a hook. */
interface Question {
  readonly name: string
  readonly answer: () => Promise<unknown>
  readonly logger: Logger
  readonly timeoutMs: number
}

/** A hook refuses with a `WeappError`, which is passed on. Whatever else it fails with is a fault, and the log's alone to hear. */
async function ask({ name, answer, logger, timeoutMs }: Question): Promise<unknown> {
  try {
    return await withinDeadline(answer(), timeoutMs, () => tookTooLong(timeoutMs))
  } catch (cause) {
    if (cause instanceof WeappError) throw cause
    logger.error(`${name} failed: ${stackOf(cause)}`)
    throw new WeappError('ERR_HOOK_FAILED', 'Something went wrong on the server. Please try again later.', {
      cause,
    })
  }
}
