/** What is the same for every error of one code. */
export interface ErrorKind {
  /** The HTTP status. */
  readonly status: number
  /** Seconds after which to try again; null where unknown. */
  readonly retryAfterSeconds: number | null
  /** Whether the client has to log in again. An old client must not be made to do so by any other error. */
  readonly asksLogin: boolean
  /** Whether a login code may be sent again after its exchange failed this way: WeChat has not used it up. */
  readonly codeStillGood: boolean
  /** A short name for this kind of error. */
  readonly title: string
}

type Row = readonly [number, number | null, boolean, boolean, string]

/** Gives the table its type: the codes as literals. */
function rows<Code extends string>(table: Readonly<Record<Code, Row>>): Readonly<Record<Code, Row>> {
  return table
}

// biome-ignore format: a table
const ROWS = rows({
  //                             status  retryAfter  asksLogin  codeStillGood  title
  ERR_ACCESS_TOKEN_UNAVAILABLE: [503,    2,          false,     false,         'Access token unavailable'],
  ERR_APP_UNKNOWN:              [400,    null,       false,     false,         'Unknown app'],
  ERR_BODY_INVALID:             [400,    null,       false,     false,         'Invalid body'],
  ERR_BODY_TIMEOUT:             [408,    null,       false,     false,         'Body timeout'],
  ERR_BODY_TOO_LARGE:           [413,    null,       false,     false,         'Body too large'],
  ERR_CODE_INVALID:             [401,    null,       false,     false,         'Invalid login code'],
  ERR_CODE_MOCK:                [400,    null,       false,     false,         'Mock login code'],
  ERR_CONFIRMATION_LIMIT:       [429,    600,        false,     false,         'Too many failed confirmations'],
  ERR_CONFIRMATION_REFUSED:     [403,    null,       false,     false,         'Confirmation refused'],
  ERR_CONFIRMATION_REQUIRED:    [403,    null,       false,     false,         'Confirmation required'],
  ERR_DATA_MALFORMED:           [400,    null,       false,     false,         'Malformed user data'],
  ERR_DECRYPTION_LIMIT:         [429,    600,        false,     false,         'Too many failed decryptions'],
  ERR_HOOK_FAILED:              [500,    null,       false,     false,         'Internal server error'],
  ERR_LOGIN_LIMIT:              [429,    60,         false,     false,         'Too many failed logins'],
  ERR_LOGIN_REFUSED:            [403,    null,       false,     false,         'Login refused'],
  ERR_LOGIN_TOO_OLD:            [401,    null,       true,      false,         'Recent login required'],
  ERR_METHOD_NOT_ALLOWED:       [405,    null,       false,     false,         'Method not allowed'],
  ERR_NOT_AUTHORIZED:           [403,    null,       false,     false,         'Not authorized'],
  ERR_PHONE_CODE_INVALID:       [401,    null,       false,     false,         'Invalid phone number code'],
  ERR_PHONE_CODE_LIMIT:         [429,    600,        false,     false,         'Too many invalid phone number codes'],
  ERR_REQUEST_INVALID:          [400,    null,       false,     false,         'Invalid request'],
  ERR_SERVER_MISCONFIGURED:     [500,    null,       false,     true,          'Server misconfigured'],
  ERR_SERVICE_KEYS_UNAVAILABLE: [503,    5,          false,     false,         'Service keys unavailable'],
  ERR_SERVICE_TOKEN_INVALID:    [401,    null,       false,     false,         'Invalid service token'],
  ERR_SERVICE_TOKEN_MISSING:    [401,    null,       false,     false,         'Missing service token'],
  ERR_SESSIONS_CLOSED:          [503,    1,          false,     false,         'Shutting down'],
  ERR_SESSION_KEY_STALE:        [409,    null,       false,     false,         'Outdated session key'],
  ERR_SESSION_LIMIT:            [409,    null,       false,     false,         'Too many sessions'],
  ERR_SESSION_NOT_FOUND:        [404,    null,       false,     false,         'Session not found'],
  ERR_SESSION_UNKNOWN:          [401,    null,       true,      false,         'Unknown session'],
  ERR_STORE_UNAVAILABLE:        [503,    1,          false,     false,         'Session store unavailable'],
  ERR_TOKEN_MALFORMED:          [401,    null,       true,      false,         'Malformed token'],
  ERR_TOKEN_MISSING:            [401,    null,       true,      false,         'Missing token'],
  ERR_USER_BLOCKED:             [403,    null,       false,     false,         'User blocked by WeChat'],
  ERR_USER_CHANGED:             [409,    null,       false,     false,         'Login code of another user'],
  ERR_USER_INFO_REFUSED:        [403,    null,       false,     false,         'Profile refused'],
  ERR_WECHAT_ANSWER_INVALID:    [502,    null,       false,     false,         'Invalid response from WeChat'],
  ERR_WECHAT_BUSY:              [503,    2,          false,     true,          'WeChat busy'],
  ERR_WECHAT_NO_ANSWER:         [503,    2,          false,     false,         'No response from WeChat'],
  ERR_WECHAT_QUOTA:             [503,    3600,       false,     true,          'WeChat quota exceeded'],
  ERR_WECHAT_RATE_LIMITED:      [429,    60,         false,     true,          'Too many requests'],
  ERR_WECHAT_UNREACHABLE:       [503,    2,          false,     true,          'WeChat unreachable'],
})

/** The code of a {@link WeappError}: stable, so programs may switch on it. See docs/error-codes.md. */
export type ErrorCode = keyof typeof ROWS

/** All codes of {@link ErrorCode}, in alphabetical order. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ROWS) as ErrorCode[]

export function kindOf(code: ErrorCode): ErrorKind {
  const [status, retryAfterSeconds, asksLogin, codeStillGood, title] = ROWS[code]
  return { status, retryAfterSeconds, asksLogin, codeStillGood, title }
}

/** Options of {@link WeappError}. */
export interface WeappErrorOptions {
  /** The error that caused it. Never sent to a client. */
  cause?: unknown
  /** For the operator's log: what to fix. Never sent to a client, and never holds a secret. */
  hint?: string
  /** Seconds after which to try again, where that is not the same for every error with this code. */
  retryAfterSeconds?: number
}

/**
 * Any failure that is not a bug: bad input, an ended session, WeChat or the store out of reach.
 *
 * `message` may be shown to a client: it never holds a secret, a token, a session_key or an address.
 * `status`, `statusCode`, `headers` and `expose` let Express's own error handler respond correctly after
 * `next(error)`. Wrong options throw a `TypeError` at construction instead.
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
  /** The HTTP status. */
  readonly status: number
  /** The same as `status`, for Express and Koa, which also read this name. */
  readonly statusCode: number
  /** A short name for this kind of error, the same for every error with this code. */
  readonly title: string
  /** Seconds after which to try again, where known. */
  readonly retryAfterSeconds: number | undefined
  /** Headers for the response: `WWW-Authenticate` with 401, `Retry-After` with 429 and 503. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether `message` may be shown to a client: always. */
  readonly expose = true
  /** What the operator should fix, for the log only. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: WeappErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {})
    const kind = {
      ...kindOf(code),
      ...(options.retryAfterSeconds !== undefined && { retryAfterSeconds: options.retryAfterSeconds }),
    }
    this.code = code
    this.status = kind.status
    this.statusCode = kind.status
    this.title = kind.title
    this.retryAfterSeconds = kind.retryAfterSeconds ?? undefined
    this.headers = headersFor(kind)
    this.hint = options.hint
  }
}

/** Returns a copy: whoever catches an error may change it. */
export function copyOf({ code, message, hint, retryAfterSeconds, cause }: WeappError): WeappError {
  return new WeappError(code, message, {
    ...(cause !== undefined && { cause }),
    ...(hint !== undefined && { hint }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  })
}

function headersFor({ status, retryAfterSeconds }: ErrorKind): Record<string, string> {
  const headers: Record<string, string> = {}
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer'
  if (retryAfterSeconds !== null) headers['Retry-After'] = String(retryAfterSeconds)
  return headers
}
