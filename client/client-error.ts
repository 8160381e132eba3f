import { type HttpResponse, problemIn, retryAfterMsIn } from './response.js'

/**
 * The codes of the client itself; all others come from the server, such as `ERR_USER_BLOCKED`. One of the
 * server's codes is also set by the client: `ERR_TOKEN_MISSING`, for a call that is made while the user logs
 * out.
 */
export type ClientErrorCode =
  /** The call was aborted with its `abort()`. */
  | 'ERR_ABORTED'
  /** No response: the phone is offline, the address is wrong, or it took too long. The token is kept. */
  | 'ERR_NETWORK'
  /** `wx.login` returned no code. */
  | 'ERR_WX_LOGIN'
  /** The URL is not below `baseUrl`, so the token must not be sent there. */
  | 'ERR_URL_INVALID'
  /** The response is not what the client needs, and has none of the server's codes; see `statusCode`. */
  | 'ERR_ANSWER_UNEXPECTED'

/**
 * A failure that the client could not resolve. Check `code`; `message` is meant for logs.
 *
 * @example
 * try {
 *   await client.phoneNumber(event.detail)
 * } catch (error) {
 *   if (error.code === 'ERR_PHONE_CODE_INVALID') wx.showToast({ title: '请再点一次', icon: 'none' })
 *   else throw error
 * }
 */
export class ClientError extends Error {
  /** The server's code, such as `ERR_SESSION_UNKNOWN`, or one of {@link ClientErrorCode}. */
  readonly code: string
  /** The same as `message`, under the name that `fail` callbacks of `wx` expect. */
  readonly errMsg: string
  /** HTTP status; undefined if there was no response. */
  readonly statusCode: number | undefined
  /** Seconds to wait before the next attempt, if the server said so. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: string, message: string, response: Partial<HttpResponse> = {}) {
    super(message)
    this.name = 'ClientError'
    this.code = code
    this.errMsg = message
    this.statusCode = response.statusCode
    const retryAfterMs = retryAfterMsIn(response)
    this.retryAfterSeconds = retryAfterMs === undefined ? undefined : retryAfterMs / 1000
  }
}

export function errorFromResponse(response: HttpResponse): ClientError {
  const { code, detail } = Object(problemIn(response))
  return new ClientError(code || 'ERR_ANSWER_UNEXPECTED', detail || `HTTP ${response.statusCode}`, response)
}

/** The error for a failed call of `wx`; `reason` is what its `fail` got. */
export function errorFromWx(code: ClientErrorCode, reason: unknown): ClientError {
  const { errMsg, message } = Object(reason)
  return new ClientError(code, String(errMsg || message || reason))
}
