import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { App, AppBook } from '../sessions/app-info.js'
import type { CodeLedger } from '../sessions/code-ledger.js'
import type { Session } from '../sessions/session.js'
import type { Identity, SessionBook } from '../sessions/session-book.js'
import { addressOf, codeIdOf } from '../sessions/token.js'
import type { UserInfo } from '../sessions/user-info.js'
import { type CodeExchange, checkCode } from '../wechat/code2session.js'
import { profileFrom, readUserData, type UserData, type UserDataRequest } from './user-data.js'

/** How long `onLogin` may take, in milliseconds. */
export const ON_LOGIN_TIMEOUT_MS = 5000

/** A login: the code of `wx.login` and, if the mini-program has any, data about the user. */
export interface LoginRequest extends UserDataRequest {
  /** The one-time code of `wx.login`. */
  readonly code: string
  /** Which app it is of; may be left out when there is only one. */
  readonly appid?: string | undefined
  /** The token the phone still had: its session ends with this login. */
  readonly presentedToken?: string | undefined
}

/** What a login gives. Only the token goes to the phone; who the user is stays on the server. */
export interface LoginResult {
  readonly token: string
  readonly session: Session
}

/** What `onLogin` is told. */
export interface LoginEvent {
  readonly appid: string
  readonly openid: string
  readonly unionid: string | undefined
  /** The profile that came with this login, if any. */
  readonly userInfo: UserInfo | undefined
}

/** Called before a session is issued. Its answer, which JSON must be able to carry, is kept as `session.data`; throwing refuses the login. */
export type OnLogin = (event: LoginEvent) => unknown

interface LogInParts {
  readonly apps: AppBook
  readonly book: SessionBook
  readonly ledger: CodeLedger
  readonly exchange: CodeExchange
  readonly onLogin: OnLogin | undefined
  readonly logger: Logger
}

/** Makes the use case "log in": one call to WeChat for a code, two round trips to the store, one answer to all who bring the code. */
export function createLogIn(parts: LogInParts): (request: LoginRequest) => Promise<LoginResult> {
  const { apps, book, ledger, exchange, onLogin, logger } = parts
  const inFlight = new Map<string, Promise<LoginResult>>()

  async function logIn(request: LoginRequest): Promise<LoginResult> {
    const app = apps.choose(request.appid)
    const code = checkCode(request.code)
    const data = readUserData(request)
    const codeId = codeIdOf(app.appid, code)
    const running = inFlight.get(codeId)
    if (running) return running

    const login = useCode(app, code, data, request.presentedToken).finally(() => inFlight.delete(codeId))
    inFlight.set(codeId, login)
    return login
  }

  async function useCode(
    app: App,
    code: string,
    data: UserData,
    presentedToken?: string,
  ): Promise<LoginResult> {
    const login = { appid: app.appid, code }
    const token = await ledger.claim(login)
    if (token !== undefined) return { token, session: await existing(token) }
    try {
      const result = await start(app, code, data, presentedToken)
      ledger.settle(login, result.token)
      return result
    } catch (error) {
      ledger.fail(login, error)
      if (error instanceof WeappError && error.hint)
        logger.error(`a login failed with ${error.code}: ${error.hint}`)
      throw error
    }
  }

  async function start(
    app: App,
    code: string,
    data: UserData,
    presentedToken?: string,
  ): Promise<LoginResult> {
    const identity = await exchange(app, code)
    const owner = { appid: app.appid, openid: identity.openid }
    const userInfo = await profileFrom(
      data,
      [() => [identity.sessionKey], () => book.sessionKeys(owner)],
      owner,
    )
    return book.issue(app, { identity, userInfo, presentedToken, data: await hear(app, identity, userInfo) })
  }

  async function hear(app: App, identity: Identity, userInfo: UserInfo | undefined): Promise<unknown> {
    if (!onLogin) return undefined
    const { openid, unionid } = identity
    const tooLate = () => new Error(`it did not answer within ${ON_LOGIN_TIMEOUT_MS} ms`)
    try {
      const answer = (async () => onLogin({ appid: app.appid, openid, unionid, userInfo }))()
      return await withinDeadline(answer, ON_LOGIN_TIMEOUT_MS, tooLate)
    } catch (cause) {
      const reason =
        cause instanceof Error ? `${cause.name}: ${cause.message}` : 'something that is not an Error'
      throw new WeappError('ERR_LOGIN_REFUSED', 'This login was refused.', {
        cause,
        hint: `onLogin threw ${reason}`,
      })
    }
  }

  async function existing(token: string): Promise<Session> {
    const address = addressOf(token)
    const session = address && (await book.visit(address))
    if (session) return session
    throw new WeappError(
      'ERR_CODE_INVALID',
      'The session of this code has ended. Call wx.login for a new one.',
    )
  }

  return logIn
}
