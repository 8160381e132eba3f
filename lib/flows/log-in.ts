import { WeappError } from '../errors.js'
import type { Identity } from '../exchange.js'
import type { Logger } from '../logger.js'
import { positiveInteger } from '../options.js'
import { type App, type AppBook, type AppSelector, MOST_SESSIONS } from '../sessions/app-info.js'
import { type CodeGrant, type CodeLedger, codeUsedUp } from '../sessions/code-ledger.js'
import type { KeyBook } from '../sessions/key-book.js'
import type { Session } from '../sessions/session.js'
import type { SessionBook } from '../sessions/session-book.js'
import { addressOf, codeIdOf } from '../sessions/token.js'
import { checkCode } from '../wechat/code2session.js'
import { askHook, type OnLogin } from './hooks.js'
import { reportFailure } from './report-failure.js'
import { profileFrom, readUserData, type UserData, type UserDataRequest } from './user-data.js'

/** A login: the code of `wx.login` and, if the mini-program has any, data about the user. */
export interface LoginRequest extends UserDataRequest {
  /** The one-time code of `wx.login`. */
  readonly code: string
  /** Which app it is of: its appid, or its `id`. May be left out when there is only one. */
  readonly appid?: AppSelector | undefined
  /** How many sessions the user may have after this login. Default: what the app or all apps allow. */
  readonly maxSessionsPerUser?: number | undefined
  /** The token the phone still had: its session ends with this login. */
  readonly presentedToken?: string | undefined
}

/** What a login gives. Only the token goes to the phone; who the user is stays on the server. */
export interface LoginResult {
  readonly token: string
  readonly session: Session
  /** Whether the user had logged in before. */
  readonly seenBefore: boolean
}

/** A login of the right form, its app found. */
interface CheckedLogin {
  readonly app: App
  readonly code: string
  readonly data: UserData
  readonly presentedToken: string | undefined
  readonly maxSessionsPerUser: number | undefined
}

/** Exchanges a code by the way of its app, within its deadline. */
export type ExchangeCode = (app: App, code: string) => Promise<Identity>

interface LogInParts {
  readonly apps: AppBook
  readonly book: SessionBook
  readonly ledger: CodeLedger
  readonly keys: KeyBook
  readonly exchange: ExchangeCode
  readonly onLogin: OnLogin | undefined
  readonly logger: Logger
}

/** The use case "log in". */
export interface LogIn {
  logIn(request: LoginRequest): Promise<LoginResult>
  /** Resolves when the logins under way have ended, well or not. */
  idle(): Promise<void>
}

/**
 * Makes the use case "log in": one call to WeChat for a code, two round trips to the store (one more to tell
 * `onLogin` whether the user is new), one answer to all who bring the code.
 */
export function createLogIn(parts: LogInParts): LogIn {
  const { apps, book, ledger, keys, exchange, onLogin, logger } = parts
  const inFlight = new Map<string, Promise<LoginResult>>()

  async function logIn(request: LoginRequest): Promise<LoginResult> {
    const login: CheckedLogin = {
      app: apps.choose(request.appid),
      code: checkCode(request.code),
      data: readUserData(request),
      presentedToken: request.presentedToken,
      maxSessionsPerUser: checkCap(request.maxSessionsPerUser),
    }
    const codeId = codeIdOf(login.app.appid, login.code)
    const running = inFlight.get(codeId)
    if (running) return running

    const result = useCode(login).finally(() => inFlight.delete(codeId))
    inFlight.set(codeId, result)
    return result
  }

  async function useCode(login: CheckedLogin): Promise<LoginResult> {
    const code = { appid: login.app.appid, code: login.code }
    const grant = await ledger.claim(code)
    if (grant) return existing(grant)
    try {
      const result = await start(login)
      ledger.settle(code, { token: result.token, seenBefore: result.seenBefore })
      return result
    } catch (error) {
      ledger.fail(code, error)
      reportFailure(logger, 'a login', error)
      throw error
    }
  }

  async function start({ app, code, data, ...rest }: CheckedLogin): Promise<LoginResult> {
    const identity = await exchange(app, code)
    const owner = { appid: app.appid, openid: identity.openid }
    const userInfo = await profileFrom(
      data,
      () => [() => [identity.sessionKey], () => keys.keysOf(owner)],
      owner,
    )
    if (!onLogin) return book.issue(app, { ...rest, identity, userInfo, data: undefined })

    const seenBefore = await book.hasSeen(owner)
    const hook = { name: 'onLogin', call: onLogin, refusal: 'ERR_LOGIN_REFUSED', logger } as const
    const answer = await askHook(hook, { ...owner, unionid: identity.unionid, userInfo, seenBefore })
    return { ...(await book.issue(app, { ...rest, identity, userInfo, data: answer })), seenBefore }
  }

  async function existing(grant: CodeGrant): Promise<LoginResult> {
    if (!('token' in grant)) throw codeUsedUp()
    const address = addressOf(grant.token)
    const session = address && (await book.visit(address))
    if (session) return { ...grant, session }
    throw new WeappError(
      'ERR_CODE_INVALID',
      'The session of this code has ended. Call wx.login for a new one.',
    )
  }

  async function idle(): Promise<void> {
    await Promise.allSettled(inFlight.values())
  }

  return { logIn, idle }
}

function checkCap(maxSessionsPerUser: number | undefined): number | undefined {
  if (maxSessionsPerUser === undefined) return undefined
  return positiveInteger('login: maxSessionsPerUser', maxSessionsPerUser, MOST_SESSIONS)
}
