import { type Answer, failureIn, failureOf, problemIn } from './failure.js'
import type { SharedLogin } from './log-in.js'
import type { Settings } from './options.js'
import { patiently } from './patience.js'
import type { TokenKeeper } from './token.js'
import { type Api, call } from './wx.js'

/** An option object of `wx.request`, `wx.uploadFile` or `wx.downloadFile`, as far as it is looked at here. */
export interface SendOption {
  url: string
  method?: string
  header?: object
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
  let logOuts = 0

  function attempt<Result extends Answer>(api: Api, option: SendOption, used: string): Promise<Result> {
    const sent = {
      ...(api === 'request' && { timeout: timeoutMs }),
      ...option,
      url: addressOf(option.url, baseUrl),
      header: { ...option.header, [header]: used },
    }
    return patiently(settings, () =>
      call<Result>(wx, api, sent).catch((reason) => {
        throw failureOf('ERR_NETWORK', reason)
      }),
    )
  }

  async function send<Result extends Answer>(api: Api, option: SendOption): Promise<Result> {
    addressOf(option.url, baseUrl)
    const logOutsBefore = logOuts
    let hasLoggedIn = false

    async function tokenToUse(): Promise<string> {
      if (token.current()) return token.current()
      hasLoggedIn = true
      await login.logIn()
      return token.current()
    }

    let used = await tokenToUse()
    let answer = await attempt<Result>(api, option, used)

    if (hasEnded(answer)) {
      token.drop(used)
      const isOwnLogin = hasLoggedIn && !token.current()
      if (isOwnLogin || logOuts !== logOutsBefore) throw failureIn(answer)
      used = await tokenToUse()
      answer = await attempt<Result>(api, option, used)
      if (hasEnded(answer)) token.drop(used)
    }

    const problem = problemIn(answer)
    const isStale = problem?.code === 'ERR_SESSION_KEY_STALE'
    if (isStale && !hasLoggedIn && token.current() === used) await login.logIn()
    if (problem || answer.statusCode === 401) throw failureIn(answer)
    return answer
  }

  async function logOut(): Promise<void> {
    logOuts += 1
    await login.idle()
    const used = token.current()
    if (used) {
      const answer = await attempt('request', { url: '/logout', method: 'POST' }, used)
      if (!isSuccess(answer) && !hasEnded(answer)) throw failureIn(answer)
      token.drop(used)
    }
    // What was sent meanwhile must not log the user in again either.
    logOuts += 1
  }

  return { send, logOut }
}

export function isSuccess({ statusCode }: Answer): boolean {
  return statusCode >= 200 && statusCode < 300
}

function hasEnded(answer: Answer): boolean {
  return answer.statusCode === 401 && !NOT_OF_THE_SESSION.includes(String(problemIn(answer)?.code))
}

/** The token goes to the back end and nowhere else. */
function addressOf(url: string, baseUrl: string): string {
  if (String(url)[0] === '/') return baseUrl + url
  if (String(url).indexOf(`${baseUrl}/`) === 0) return url
  throw new TypeError(`url must begin with / or with ${baseUrl}/: the token goes nowhere else`)
}
