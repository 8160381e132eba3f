import { type Answer, ClientError, failureIn, failureOf, problemIn } from './failure.js'
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
}

/** Speaks to the back end in the name of the user. */
export interface Sender {
  /** Sends with the token, and answers what `wx` answers. Logs in at most once, and repeats itself at most once. */
  send<Result extends Answer>(api: Exclude<Api, 'login'>, option: SendOption): Promise<Result>
  /** Ends the session at the server, then forgets the token. */
  logOut(): Promise<void>
}

/** A 401 with one of these speaks of a code, not of the session. */
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
  ): Promise<Result> {
    const sent = {
      ...option,
      ...(api === 'request' && { timeout: option.timeout || timeoutMs }),
      header: { ...option.header, [header]: used },
    }
    return patiently(() =>
      call<Result>(wx, api, sent).catch((reason) => {
        throw failureOf('ERR_NETWORK', reason)
      }),
    )
  }

  async function send<Result extends Answer>(api: Api, option: SendOption): Promise<Result> {
    const addressed = { ...option, url: addressOf(option.url, baseUrl) }
    const patiently = createPatience(settings)
    const logOutsBefore = logOuts
    const isLoggingOut = () => logOutsUnderWay > 0 || logOuts !== logOutsBefore
    let hasLoggedIn = false

    async function tokenToUse(): Promise<string> {
      if (token.current()) return token.current()
      if (isLoggingOut()) throw new ClientError('ERR_TOKEN_MISSING', 'the user is logging out')
      hasLoggedIn = true
      await login.logIn()
      return token.current()
    }

    let used = await tokenToUse()
    let answer = await attempt<Result>(api, addressed, used, patiently)

    if (hasEnded(answer)) {
      token.drop(used)
      const isOwnLogin = hasLoggedIn && !token.current() && !login.isUnderWay()
      if (isOwnLogin || isLoggingOut()) throw failureIn(answer)
      used = await tokenToUse()
      answer = await attempt<Result>(api, addressed, used, patiently)
      if (hasEnded(answer)) token.drop(used)
    }

    const problem = problemIn(answer)
    const isStale = problem?.code === 'ERR_SESSION_KEY_STALE' && token.current() === used
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

  return { send, logOut }
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
