/** Every code a {@link WeappError} can carry. Stable: programs may switch on it. One heading each in docs/error-codes.md. */
export type ErrorCode =
  | 'ERR_ACCESS_TOKEN_UNAVAILABLE'
  | 'ERR_APP_UNKNOWN'
  | 'ERR_BODY_INVALID'
  | 'ERR_BODY_TIMEOUT'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_CODE_INVALID'
  | 'ERR_CODE_MOCK'
  | 'ERR_DATA_MALFORMED'
  | 'ERR_DECRYPTION_LIMIT'
  | 'ERR_HOOK_FAILED'
  | 'ERR_LOGIN_REFUSED'
  | 'ERR_LOGIN_TOO_OLD'
  | 'ERR_METHOD_NOT_ALLOWED'
  | 'ERR_PHONE_CODE_INVALID'
  | 'ERR_REQUEST_INVALID'
  | 'ERR_SERVER_MISCONFIGURED'
  | 'ERR_SESSION_KEY_STALE'
  | 'ERR_SESSION_LIMIT'
  | 'ERR_SESSION_NOT_FOUND'
  | 'ERR_SESSION_UNKNOWN'
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_TOKEN_MALFORMED'
  | 'ERR_TOKEN_MISSING'
  | 'ERR_USER_BLOCKED'
  | 'ERR_USER_CHANGED'
  | 'ERR_USER_INFO_REFUSED'
  | 'ERR_WECHAT_ANSWER_INVALID'
  | 'ERR_WECHAT_BUSY'
  | 'ERR_WECHAT_NO_ANSWER'
  | 'ERR_WECHAT_QUOTA'
  | 'ERR_WECHAT_RATE_LIMITED'
  | 'ERR_WECHAT_UNREACHABLE'

interface ErrorKind {
  readonly status: number
  readonly title: string
  readonly retryAfterSeconds?: number
}

const KINDS: Readonly<Record<ErrorCode, ErrorKind>> = {
  ERR_ACCESS_TOKEN_UNAVAILABLE: { status: 503, title: 'No access token', retryAfterSeconds: 2 },
  ERR_APP_UNKNOWN: { status: 400, title: 'Unknown app' },
  ERR_BODY_INVALID: { status: 400, title: 'Body not usable' },
  ERR_BODY_TIMEOUT: { status: 408, title: 'Body too slow' },
  ERR_BODY_TOO_LARGE: { status: 413, title: 'Body too large' },
  ERR_CODE_INVALID: { status: 401, title: 'Login code not valid' },
  ERR_CODE_MOCK: { status: 400, title: 'Mock login code' },
  ERR_DATA_MALFORMED: { status: 400, title: 'User data malformed' },
  ERR_DECRYPTION_LIMIT: { status: 429, title: 'Too many failed decryptions', retryAfterSeconds: 600 },
  ERR_HOOK_FAILED: { status: 500, title: 'Server failed' },
  ERR_LOGIN_REFUSED: { status: 403, title: 'Login refused' },
  ERR_LOGIN_TOO_OLD: { status: 401, title: 'Login too long ago' },
  ERR_METHOD_NOT_ALLOWED: { status: 405, title: 'Method not allowed' },
  ERR_PHONE_CODE_INVALID: { status: 401, title: 'Phone code not valid' },
  ERR_REQUEST_INVALID: { status: 400, title: 'Request not valid' },
  ERR_SERVER_MISCONFIGURED: { status: 500, title: 'Server misconfigured' },
  ERR_SESSION_KEY_STALE: { status: 409, title: 'session_key out of date' },
  ERR_SESSION_LIMIT: { status: 409, title: 'Too many sessions' },
  ERR_SESSION_NOT_FOUND: { status: 404, title: 'No such session' },
  ERR_SESSION_UNKNOWN: { status: 401, title: 'Session unknown or ended' },
  ERR_STORE_UNAVAILABLE: { status: 503, title: 'Session store unavailable', retryAfterSeconds: 1 },
  ERR_TOKEN_MALFORMED: { status: 401, title: 'Token malformed' },
  ERR_TOKEN_MISSING: { status: 401, title: 'Token missing' },
  ERR_USER_BLOCKED: { status: 403, title: 'User blocked by WeChat' },
  ERR_USER_CHANGED: { status: 409, title: 'Code of another user' },
  ERR_USER_INFO_REFUSED: { status: 403, title: 'Profile refused' },
  ERR_WECHAT_ANSWER_INVALID: { status: 502, title: 'Unusable answer from WeChat' },
  ERR_WECHAT_BUSY: { status: 503, title: 'WeChat busy', retryAfterSeconds: 2 },
  ERR_WECHAT_NO_ANSWER: { status: 503, title: 'No answer from WeChat', retryAfterSeconds: 2 },
  ERR_WECHAT_QUOTA: { status: 503, title: 'WeChat quota used up', retryAfterSeconds: 3600 },
  ERR_WECHAT_RATE_LIMITED: { status: 429, title: 'Too many requests', retryAfterSeconds: 60 },
  ERR_WECHAT_UNREACHABLE: { status: 503, title: 'WeChat unreachable', retryAfterSeconds: 2 },
}

/** All codes of {@link ErrorCode}, in alphabetical order. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(KINDS) as ErrorCode[]

/** What may be told about a {@link WeappError} besides its code and message. */
export interface WeappErrorOptions {
  /** The error behind it. Never sent to a client. */
  cause?: unknown
  /** A sentence for the operator's log: what to mend. Never sent to a client, never holds a secret. */
  hint?: string
}

/**
 * Any failure that is not a bug: bad input, an ended session, WeChat or the store out of reach.
 *
 * `message` may be shown to a client; it never holds a secret, a token, a session_key or an address. `status`,
 * `statusCode`, `headers` and `expose` let Express' own error handler answer correctly after `next(error)`.
 * Wrong options are not reported this way but as a `TypeError` at construction.
 *
 * @example
 * try {
 *   await sessions.authenticate(token)
 * } catch (error) {
 *   if (error instanceof WeappError && error.code === 'ERR_SESSION_UNKNOWN') return logInAgain()
 *   throw error
 * }
 */
export class WeappError extends Error {
  override readonly name = 'WeappError'
  /** The stable code, for programs. */
  readonly code: ErrorCode
  /** The HTTP status that fits. */
  readonly status: number
  /** The same as `status`, under the name that Express and Koa also read. */
  readonly statusCode: number
  /** A short name of the kind of error; the same for every error of one code. */
  readonly title: string
  /** Seconds after which trying again makes sense, where that is known. */
  readonly retryAfterSeconds: number | undefined
  /** Headers that belong to the answer: `WWW-Authenticate` with 401, `Retry-After` with 429 and 503. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether `message` may be shown to a client: always. */
  readonly expose = true
  /** What the operator should mend, for the log only. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: WeappErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {})
    const kind = KINDS[code]
    this.code = code
    this.status = kind.status
    this.statusCode = kind.status
    this.title = kind.title
    this.retryAfterSeconds = kind.retryAfterSeconds
    this.headers = headersFor(kind)
    this.hint = options.hint
  }
}

function headersFor(kind: ErrorKind): Record<string, string> {
  const headers: Record<string, string> = {}
  if (kind.status === 401) headers['WWW-Authenticate'] = 'Bearer'
  if (kind.retryAfterSeconds !== undefined) headers['Retry-After'] = String(kind.retryAfterSeconds)
  return headers
}
