import { type Aborter, createAborter } from './aborter.js'
import { ClientError, errorFromResponse, errorFromWx } from './client-error.js'
import type { SharedLogin } from './log-in.js'
import type { Settings } from './options.js'
import { type HttpResponse, isSuccess, problemIn } from './response.js'
import { createRetries } from './retry-after.js'
import type { TokenStore } from './token.js'
import { type Api, callWx } from './wx.js'

/** The options that are read here of `wx.request`, `wx.uploadFile` and `wx.downloadFile`. */
export interface SendOption {
  url: string
  method?: string
  header?: object
  timeout?: number
  data?: unknown
  onTask?: (task: never) => void
}

/** Sends requests with the user's token. */
export interface Sender {
  /** Calls a method of `wx` with the token. Logs in at most once, and repeats the call at most once. */
  send<Result extends HttpResponse>(
    api: Exclude<Api, 'login'>,
    option: SendOption,
    aborter?: Aborter,
  ): Promise<Result>
  /** Returns the token, after a login if there is none. */
  getToken(): Promise<string>
  /** Ends the session on the server, then discards the token. */
  logOut(): Promise<void>
}

/** A 401 with one of these does not concern the session. A spec compares them with the server's codes. */
const OTHER_CODES = [
  'ERR_CODE_INVALID',
  'ERR_PHONE_CODE_INVALID',
  'ERR_SERVICE_TOKEN_INVALID',
  'ERR_SERVICE_TOKEN_MISSING',
]

export function createSender(settings: Settings, token: TokenStore, login: SharedLogin): Sender {
  const { wx, baseUrl, header, timeoutMs } = settings
  let pendingLogouts = 0
  /** Successful or not. */
  let finishedLogouts = 0

  function attempt<Result extends HttpResponse>(
    api: Api,
    option: SendOption,
    usedToken: string,
    withRetries = createRetries(settings),
    aborter = createAborter(api),
  ): Promise<Result> {
    const wxOption = {
      ...option,
      onTask(task: never) {
        aborter.link(task)
        option.onTask?.(task)
      },
      ...(api === 'request' && { timeout: option.timeout || timeoutMs }),
      header: { ...option.header, [header]: usedToken },
    }
    return withRetries(() => {
      aborter.throwIfAborted()
      return callWx<Result>(wx, api, wxOption).catch((reason) => {
        const isAborted = /:fail abort\b/.test(Object(reason).errMsg)
        throw errorFromWx(isAborted ? 'ERR_ABORTED' : 'ERR_NETWORK', reason)
      })
    })
  }

  /** Returns a function that tells whether a logout is pending, or has finished since this call. */
  function watchLogouts(): () => boolean {
    const finishedBefore = finishedLogouts
    return () => pendingLogouts > 0 || finishedLogouts !== finishedBefore
  }

  /** Returns the token, after a login if there is none. A user who logs out is not logged in again. */
  async function tokenOrLogin(isLoggingOut: () => boolean): Promise<string> {
    if (token.get()) return token.get()
    if (isLoggingOut()) throw loggingOutError()
    await login.logIn()
    return token.get()
  }

  async function getToken(): Promise<string> {
    const current = await tokenOrLogin(watchLogouts())
    if (!current) throw loggingOutError()
    return current
  }

  async function send<Result extends HttpResponse>(
    api: Api,
    option: SendOption,
    aborter = createAborter(api),
  ): Promise<Result> {
    const resolved = { ...option, url: resolveUrl(option.url, baseUrl) }
    const withRetries = createRetries(settings)
    const isLoggingOut = watchLogouts()
    let hasLoggedIn = false
    let usedToken = ''

    async function sendOnce(): Promise<Result> {
      aborter.throwIfAborted()
      hasLoggedIn = hasLoggedIn || !token.get()
      usedToken = await tokenOrLogin(isLoggingOut)
      const response = await attempt<Result>(api, resolved, usedToken, withRetries, aborter)
      if (isSessionOver(response)) token.discard(usedToken)
      return response
    }

    let response = await sendOnce()
    if (isSessionOver(response)) {
      const isNewTokenRefused = hasLoggedIn && !token.get() && !login.isPending()
      if (isNewTokenRefused || isLoggingOut()) throw errorFromResponse(response)
      response = await sendOnce()
    }

    const problem = problemIn(response)
    const isStale = problem?.code === 'ERR_SESSION_KEY_STALE' && token.get() === usedToken
    aborter.throwIfAborted()
    if (isStale && !hasLoggedIn && !isLoggingOut()) await login.logIn()
    if (problem || response.statusCode === 401) throw errorFromResponse(response)
    return response
  }

  async function endSession(): Promise<void> {
    await login.settled()
    const usedToken = token.get()
    if (!usedToken) return
    const option = { url: `${baseUrl}/logout`, method: 'POST' }
    const response = await attempt('request', option, usedToken)
    const isEnded = isSuccess(response) || (isSessionOver(response) && problemIn(response))
    if (!isEnded) throw errorFromResponse(response)
    token.discard(usedToken)
  }

  async function logOut(): Promise<void> {
    pendingLogouts += 1
    try {
      await endSession()
    } finally {
      pendingLogouts -= 1
      finishedLogouts += 1
    }
  }

  return { send, getToken, logOut }
}

function loggingOutError(): ClientError {
  return new ClientError('ERR_TOKEN_MISSING', 'the user is logging out')
}

function isSessionOver(response: HttpResponse): boolean {
  return response.statusCode === 401 && !OTHER_CODES.includes(String(problemIn(response)?.code))
}

/** Returns an absolute URL below `baseUrl`: the token must not be sent to another host. */
function resolveUrl(url: string, baseUrl: string): string {
  if (String(url)[0] === '/') return baseUrl + url
  if (String(url).indexOf(`${baseUrl}/`) === 0) return url
  throw new ClientError('ERR_URL_INVALID', `url must begin with / or with ${baseUrl}/`)
}
