import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import { type SessionData, throughJson } from '../sessions/session-data.js'
import type { UserInfo } from '../sessions/user-info.js'
import type { FailureLog } from './failure-log.js'
import { shownError, tookTooLong } from './thrown.js'

export const HOOK_TIMEOUT_MS = 5000

/** What `onLogin` gets. */
export interface LoginEvent {
  readonly appid: string
  readonly openid: string
  readonly unionid: string | undefined
  /** Whether this user has logged in before, as long as that is remembered: for `userInfoDurationDays`. */
  readonly seenBefore: boolean
  /** The profile that came with this login, if any; `verified` tells whether WeChat vouched for it. */
  readonly userInfo: UserInfo | undefined
}

/**
 * Called before a session is issued. What it returns becomes `session.data`, as JSON carries it, up to 4096
 * bytes; `sessions.setData` changes it. It does not follow the tables that it came from: find a row by appid
 * and openid, not by an id kept there. To refuse the login, throw a `WeappError`: the phone gets its code and
 * message. Whatever else it throws, a value that JSON cannot carry or that is too long, and taking more than
 * 5 seconds are faults of the server: `ERR_HOOK_FAILED`.
 *
 * @example
 * const onLogin = async ({ appid, openid }) => {
 *   const user = await users.find(appid, openid)
 *   if (user.isBanned) throw new WeappError('ERR_LOGIN_REFUSED', 'You are banned until Friday.')
 *   return { role: user.role }
 * }
 */
export type OnLogin = (event: LoginEvent) => SessionData | Promise<SessionData>

/** What `onUserInfo` gets. */
export interface UserInfoEvent {
  readonly appid: string
  readonly openid: string
  /** The profile as it will be; null when it is deleted. */
  readonly userInfo: UserInfo | null
}

/**
 * Called before a profile is changed; at a login that brings one, before `onLogin`. To refuse the change, and
 * with it the login, throw a `WeappError`: the phone gets its code and message. Whatever else it throws and
 * taking more than 5 seconds are faults of the server: `ERR_HOOK_FAILED`, and nothing is changed either. What
 * it returns is not used. `onLogin` may still refuse the login, so judge here, and write there.
 *
 * @example
 * const onUserInfo = ({ userInfo }) => {
 *   if (isForbidden(userInfo?.nickName)) {
 *     throw new WeappError('ERR_USER_INFO_REFUSED', 'Please choose another name.')
 *   }
 * }
 */
export type OnUserInfo = (event: UserInfoEvent) => unknown

/** What `onConfirm` gets. */
export interface ConfirmEvent {
  readonly appid: string
  readonly openid: string
  readonly sessionId: string
  /** What came with the request, unchecked: a JSON object. */
  readonly proof: Readonly<Record<string, unknown>>
}

/**
 * Judges whether a proof shows that the user acts: a password or PIN that only the user knows. True confirms,
 * anything else is `ERR_CONFIRMATION_REFUSED`; a `WeappError` that it throws goes to the phone. After 5
 * refusals within 10 minutes it is not called. Other errors and more than 5 seconds are `ERR_HOOK_FAILED`.
 *
 * @example
 * const onConfirm = ({ appid, openid, proof }) => pins.isRight(appid, openid, proof.pin)
 */
export type OnConfirm = (event: ConfirmEvent) => boolean | Promise<boolean>

/** Calls `onConfirm`; returns whether it said true. */
export type CallOnConfirm = (event: ConfirmEvent) => Promise<boolean>

export function createCallOnConfirm(
  hook: OnConfirm | undefined,
  failureLog: FailureLog,
  timeoutMs: number = HOOK_TIMEOUT_MS,
): CallOnConfirm | undefined {
  if (!hook) return undefined
  return async (event) =>
    (await callHook('onConfirm', async () => hook(event), failureLog, timeoutMs)) === true
}

/** Calls `onLogin`. Returns the data as a later request will find it. */
export function callOnLogin(
  hook: OnLogin,
  event: LoginEvent,
  failureLog: FailureLog,
  timeoutMs: number = HOOK_TIMEOUT_MS,
): Promise<unknown> {
  return callHook('onLogin', async () => throughJson(await hook(event)), failureLog, timeoutMs)
}

/** Calls `onUserInfo`, if there is one. Throws what it refuses with, and `ERR_HOOK_FAILED`. */
export type CallOnUserInfo = (event: UserInfoEvent) => Promise<void>

export function createCallOnUserInfo(
  hook: OnUserInfo | undefined,
  failureLog: FailureLog,
  timeoutMs: number = HOOK_TIMEOUT_MS,
): CallOnUserInfo {
  return async (event) => {
    if (hook) await callHook('onUserInfo', async () => hook(event), failureLog, timeoutMs)
  }
}

/** Returns a function of the application with the deadline of hooks. What it throws is passed on. */
export function timely<Args extends unknown[]>(
  call: (...args: Args) => unknown,
  timeoutMs: number = HOOK_TIMEOUT_MS,
): (...args: Args) => Promise<unknown> {
  return (...args) => withinDeadline((async () => call(...args))(), timeoutMs, () => tookTooLong(timeoutMs))
}

/**
 * Calls a hook, within the deadline. Throws its `WeappError`; for anything else `ERR_HOOK_FAILED`, and tells
 * the log.
 */
export async function callHook(
  name: string,
  call: () => Promise<unknown>,
  failureLog: FailureLog,
  timeoutMs: number,
): Promise<unknown> {
  try {
    return await timely(call, timeoutMs)()
  } catch (error) {
    if (error instanceof WeappError) throw error
    failureLog.reportHook(name, error)
    const message = 'Something went wrong on the server. Please try again later.'
    throw new WeappError('ERR_HOOK_FAILED', message, { cause: shownError(error) })
  }
}
