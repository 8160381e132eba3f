import { WeappError } from '../errors.js'
import { positiveInteger, positiveNumber } from '../options.js'
import { type App, type AppSelector, MOST_SECONDS, MOST_SESSIONS } from '../sessions/app-info.js'
import type { Apps } from '../sessions/apps.js'
import { deviceNote } from '../sessions/device.js'
import type { KeysInUse } from '../sessions/keys-in-use.js'
import { checkOrigin, type LoginOrigin } from '../sessions/login-origin.js'
import type { Session } from '../sessions/session.js'
import type { SessionIssuer } from '../sessions/session-issuer.js'
import type { SessionKeys } from '../sessions/session-keys.js'
import { handleIn } from '../sessions/token.js'
import type { UserInfoRules } from '../sessions/user-info.js'
import type { UserProfiles } from '../sessions/user-profiles.js'
import { checkCode } from '../wechat/code2session.js'
import type { Decryptions } from './decryptions.js'
import type { FailureLog } from './failure-log.js'
import { type CallOnUserInfo, callOnLogin, type OnLogin } from './hooks.js'
import type { ExchangedCode, LoginCodes } from './login-codes.js'
import { profileFrom, type ReceivedData, readReceivedData, type UserDataRequest } from './received-data.js'
import type { Replay } from './replay.js'

/** A login: the code of `wx.login` and, if the mini-program has any, data about the user. */
export interface LoginRequest extends UserDataRequest {
  /** The one-time code of `wx.login`. */
  readonly code: string
  /** The app: its appid, or its `id`. May be left out when there is only one. */
  readonly appid?: AppSelector | undefined
  /** How many sessions the user may have after this login. Default: what the app or all apps allow. */
  readonly maxSessionsPerUser?: number | undefined
  /**
   * The idle lifetime of the session where the app sets no `sessionDurationSeconds`, in seconds: what the
   * clients of a protocol are used to. Default 604800.
   */
  readonly defaultSessionDurationSeconds?: number | undefined
  /**
   * The device in a few words, such as its model, for the list of sessions; it proves nothing. Kept on one
   * line, up to 64 characters, without `<`, `>`, `&`, quotes and backticks; the rest is cut off. Default:
   * unknown.
   */
  readonly device?: string | undefined
  /** The token that the phone still has: its session ends with this login. */
  readonly presentedToken?: string | undefined
  /**
   * Where the code came from. A client that sends it again within a minute from the same origin gets the same
   * session. Default: unknown, so the code works once. Leave it out where codes travel in a query string,
   * which ends up in logs.
   */
  readonly origin?: LoginOrigin | undefined
}

/** The result of a login. Only the token goes to the phone; who the user is stays on the server. */
export interface LoginResult {
  readonly token: string
  readonly session: Session
  /** Whether the user had logged in before. */
  readonly seenBefore: boolean
}

interface CheckedLogin {
  readonly app: App
  readonly code: string
  readonly data: ReceivedData
  readonly device: string | undefined
  readonly presentedToken: string | undefined
  readonly maxSessionsPerUser: number | undefined
  readonly sessionDurationMs: number | undefined
  readonly origin: LoginOrigin | undefined
}

interface LogInParts {
  readonly apps: Apps
  /** Of all logins here; undefined leaves it to the login. */
  readonly maxSessionsPerUser: number | undefined
  readonly issuer: SessionIssuer
  readonly profiles: UserProfiles
  readonly sessionKeys: SessionKeys
  readonly loginCodes: LoginCodes
  readonly keysInUse: KeysInUse
  readonly replay: Replay
  readonly decryptions: Decryptions
  readonly profileRules: UserInfoRules
  readonly callOnUserInfo: CallOnUserInfo
  readonly onLogin: OnLogin | undefined
  readonly failureLog: FailureLog
}

export type LogIn = (request: LoginRequest) => Promise<LoginResult>

/**
 * Makes the use case "log in": one call to WeChat for a code and two round trips to the store, one more to
 * tell `onLogin` whether the user is new, and one more before WeChat's placeholder is written.
 */
export function createLogIn(parts: LogInParts): LogIn {
  const { apps, issuer, profiles, sessionKeys, loginCodes, replay, decryptions, onLogin, failureLog } = parts

  async function logIn(request: LoginRequest): Promise<LoginResult> {
    const cap = checkCap(request.maxSessionsPerUser)
    const login: CheckedLogin = {
      app: apps.choose(request.appid),
      code: checkCode(request.code),
      data: readReceivedData(request, parts.profileRules),
      device: checkDevice(request.device),
      presentedToken: request.presentedToken,
      maxSessionsPerUser: parts.maxSessionsPerUser ?? cap,
      sessionDurationMs: idleLifetimeMs(request.defaultSessionDurationSeconds),
      origin: checkOrigin(request.origin),
    }
    const { app, code, origin } = login
    return loginCodes.redeem(app, code, {
      name: 'a login',
      async use(exchanged) {
        const result = await start(login, exchanged)
        parts.keysInUse.noteLogin(app)
        const { token, seenBefore } = result
        const grant = { handle: handleIn(token), login: origin && { token, seenBefore, origin } }
        return { result, grant }
      },
      reuse: (grant, usedCode) => replay(usedCode, grant, origin),
    })
  }

  async function start(login: CheckedLogin, { identity, beganAt }: ExchangedCode): Promise<LoginResult> {
    const { app, data, device, presentedToken, maxSessionsPerUser, sessionDurationMs } = login
    const owner = { appid: app.appid, openid: identity.openid }
    const candidates = async function* () {
      yield [identity.sessionKey]
      yield sessionKeys.keysOf(owner)
    }
    const given = await profileFrom(data, candidates, owner, decryptions)
    const userInfo = (await profiles.keptOver(owner, given)) ? undefined : given
    if (userInfo) await parts.callOnUserInfo({ ...owner, userInfo })
    const limits = { maxSessionsPerUser, sessionDurationMs }
    const beginning = { identity, device, userInfo, presentedToken, beganAt, ...limits }
    if (!onLogin) return issuer.issue(app, { ...beginning, data: undefined })

    const seenBefore = await profiles.hasSeen(owner)
    const event = { ...owner, unionid: identity.unionid, userInfo, seenBefore }
    const sessionData = await callOnLogin(onLogin, event, failureLog)
    return { ...(await issuer.issue(app, { ...beginning, data: sessionData })), seenBefore }
  }

  return logIn
}

function checkCap(maxSessionsPerUser: number | undefined): number | undefined {
  if (maxSessionsPerUser === undefined) return undefined
  return positiveInteger('login: maxSessionsPerUser', maxSessionsPerUser, MOST_SESSIONS)
}

function idleLifetimeMs(seconds: number | undefined): number | undefined {
  if (seconds === undefined) return undefined
  const ms = positiveNumber('login: defaultSessionDurationSeconds', seconds, MOST_SECONDS) * 1000
  return Math.max(1, Math.round(ms))
}

function checkDevice(device: unknown): string | undefined {
  if (device === undefined || device === null) return undefined
  if (typeof device === 'string') return deviceNote(device)
  throw new WeappError('ERR_REQUEST_INVALID', '"device" must be a string.')
}
