import { type Abortion, createAbortion } from './abortion.js'
import { type Answer, ClientError, failureIn, failureOf, isAbort, problemIn } from './failure.js'
import type { SharedLogin } from './log-in.js'
import type { Settings } from './options.js'
import { createPatience, type Patience } from './patience.js'
import type { TokenKeeper } from './token.js'
import { type Api, call } from './wx.js'

/** An option object of `wx.request`, `wx.uploadFile` or `wx.downloadFile`, as far as it is looked at here. */
export interface SendOption {
  url: string
  method?: string
  header?: object
  timeout?: number
  data?: unknown
  onTask?: (task: never) => void
}

/** Speaks to the back end in the name of the user. */
export interface Sender {
  /** Sends with the token, and answers what `wx` answers. Logs in at most once, and repeats itself at most once. */
  send<Result extends Answer>(
    api: Exclude<Api, 'login'>,
    option: SendOption,
    abortion?: Abortion,
  ): Promise<Result>
  /** The token, after a login where there is none. */
  getToken(): Promise<string>
  /** Ends the session at the server, then forgets the token. */
  logOut(): Promise<void>
}

/** A 401 with one of these is about a code, not about the session. A spec compares them with the server's codes. */
const NOT_OF_THE_SESSION = ['ERR_CODE_INVALID', 'ERR_PHONE_CODE_INVALID']

export function createSender(settings: Settings, token: TokenKeeper, login: SharedLogin): Sender {
  const { wx, baseUrl, header, timeoutMs } = settings
  /** How often a log-out has ended, either way. */
  let logOuts = 0
  let logOutsUnderWay = 0

  function attempt<Result extends Answer>(
    api: Api,
    option: SendOption,
    used: string,
    patiently: Patience,
    abortion = createAbortion(api),
  ): Promise<Result> {
    const sent = {
      ...option,
      onTask(task: never) {
        abortion.tie(task)
        option.onTask?.(task)
      },
      ...(api === 'request' && { timeout: option.timeout || timeoutMs }),
      header: { ...option.header, [header]: used },
    }
    return patiently(() => {
      abortion.check()
      return call<Result>(wx, api, sent).catch((reason) => {
        throw failureOf(isAbort(reason) ? 'ERR_ABORTED' : 'ERR_NETWORK', reason)
      })
    })
  }

  /** Whether the user has logged out, or is about to, since this was called. */
  function watchLogOuts(): () => boolean {
    const logOutsBefore = logOuts
    return () => logOutsUnderWay > 0 || logOuts !== logOutsBefore
  }

  /** The token, after a login where there is none; but no login goes against the will of the user. */
  async function tokenOrLogin(isLoggingOut: () => boolean): Promise<string> {
    if (token.current()) return token.current()
    if (isLoggingOut()) throw loggingOut()
    await login.logIn()
    return token.current()
  }

  async function getToken(): Promise<string> {
    const current = await tokenOrLogin(watchLogOuts())
    if (!current) throw loggingOut()
    return current
  }

  async function send<Result extends Answer>(
    api: Api,
    option: SendOption,
    abortion: Abortion = createAbortion(api),
  ): Promise<Result> {
    const addressed = { ...option, url: addressOf(option.url, baseUrl) }
    const patiently = createPatience(settings)
    const isLoggingOut = watchLogOuts()
    let hasLoggedIn = false

    function tokenToUse(): Promise<string> {
      abortion.check()
      hasLoggedIn = hasLoggedIn || !token.current()
      return tokenOrLogin(isLoggingOut)
    }

    let used = await tokenToUse()
    let answer = await attempt<Result>(api, addressed, used, patiently, abortion)

    if (hasEnded(answer)) {
      token.drop(used)
      const isOwnLogin = hasLoggedIn && !token.current() && !login.isUnderWay()
      if (isOwnLogin || isLoggingOut()) throw failureIn(answer)
      used = await tokenToUse()
      answer = await attempt<Result>(api, addressed, used, patiently, abortion)
      if (hasEnded(answer)) token.drop(used)
    }

    const problem = problemIn(answer)
    const isStale = problem?.code === 'ERR_SESSION_KEY_STALE' && token.current() === used
    abortion.check()
    if (isStale && !hasLoggedIn && !isLoggingOut()) await login.logIn()
    if (problem || answer.statusCode === 401) throw failureIn(answer)
    return answer
  }

  async function endSession(): Promise<void> {
    await login.idle()
    const used = token.current()
    if (!used) return
    const option = { url: `${baseUrl}/logout`, method: 'POST' }
    const answer = await attempt('request', option, used, createPatience(settings))
    const isEnded = isSuccess(answer) || (hasEnded(answer) && problemIn(answer))
    if (!isEnded) throw failureIn(answer)
    token.drop(used)
  }

  /** What is sent before it is over must not log the user in again. */
  async function logOut(): Promise<void> {
    logOutsUnderWay += 1
    try {
      await endSession()
    } finally {
      logOutsUnderWay -= 1
      logOuts += 1
    }
  }

  return { send, getToken, logOut }
}

function loggingOut(): ClientError {
  return new ClientError('ERR_TOKEN_MISSING', 'the user is logging out')
}

export function isSuccess({ statusCode }: Answer): boolean {
  return statusCode >= 200 && statusCode < 300
}

function hasEnded(answer: Answer): boolean {
  return answer.statusCode === 401 && !NOT_OF_THE_SESSION.includes(String(problemIn(answer)?.code))
}

/** The token goes to the back end and to no other host. */
function addressOf(url: string, baseUrl: string): string {
  if (String(url)[0] === '/') return baseUrl + url
  if (String(url).indexOf(`${baseUrl}/`) === 0) return url
  throw new ClientError('ERR_URL_INVALID', `url must begin with / or with ${baseUrl}/`)
}
