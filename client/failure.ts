/**
 * What the client itself has to tell; all other codes are those of the server, such as `ERR_USER_BLOCKED`. Of these it tells
 * `ERR_TOKEN_MISSING` by itself, too: to a call that is made while the user logs out.
 */
export type ClientErrorCode =
  /** The call was broken off by its `abort()`. */
  | 'ERR_ABORTED'
  /** No answer came: the phone is offline, the address is wrong, or it took too long. The token is kept. */
  | 'ERR_NETWORK'
  /** `wx.login` gave no code. */
  | 'ERR_WX_LOGIN'
  /** The address is not below `baseUrl`, so the token may not go there. */
  | 'ERR_URL_INVALID'
  /** An answer without one of the server's codes that the client can do nothing with; `statusCode` tells which. */
  | 'ERR_ANSWER_UNEXPECTED'

/**
 * What the client could not mend. Look at `code`; `message` is for people who read logs.
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
  /** The message in the form of `wx`, for `fail` callbacks. */
  readonly errMsg: string
  /** HTTP status; undefined where no answer came. */
  readonly statusCode: number | undefined
  /** Seconds after which trying again makes sense, where the server said so. */
  readonly retryAfterSeconds: number | undefined

  constructor(code: string, message: string, answer: Partial<Answer> = {}) {
    super(message)
    this.name = 'ClientError'
    this.code = code
    this.errMsg = message
    this.statusCode = answer.statusCode
    const retryAfterMs = retryAfterMsIn(answer)
    this.retryAfterSeconds = retryAfterMs === undefined ? undefined : retryAfterMs / 1000
  }
}

/** The parts of an answer that the client looks at. An upload answers text, a download no `data` at all. */
export interface Answer {
  statusCode: number
  data?: unknown
  header?: Record<string, string>
}

interface Problem {
  readonly code: string
  readonly detail: string
}

/** The problem that the server told of in an answer; undefined when it is none of weapp-session's. */
export function problemIn({ data }: Answer): Problem | undefined {
  const { type, code, detail } = Object(typeof data === 'string' ? parsed(data) : data)
  return code && type === `urn:weapp-session:${code}` ? { code, detail } : undefined
}

/** The error that an answer stands for. */
export function failureIn(answer: Answer): ClientError {
  const { code, detail } = Object(problemIn(answer))
  return new ClientError(code || 'ERR_ANSWER_UNEXPECTED', detail || `HTTP ${answer.statusCode}`, answer)
}

/** The error that a failed call of `wx` stands for. */
export function failureOf(code: ClientErrorCode, reason: unknown): ClientError {
  const { errMsg, message } = Object(reason)
  return new ClientError(code, String(errMsg || message || reason))
}

/** Whether `wx` failed because its task was broken off. */
export function isAbort(reason: unknown): boolean {
  return /:fail abort\b/.test(Object(reason).errMsg)
}

/** How long a server that is busy or limits asks to wait; undefined where it does not say. */
export function retryAfterMsIn({ statusCode, header }: Partial<Answer>): number | undefined {
  if (statusCode !== 503 && statusCode !== 429) return undefined
  const name = Object.keys(Object(header)).find((key) => key.toLowerCase() === 'retry-after')
  const value = name && Object(header)[name]
  if (!value) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms >= 0 ? ms : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (_) {
    return undefined
  }
}
