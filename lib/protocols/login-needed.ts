import type { ErrorCode, WeappError } from '../errors.js'

const LOGIN_NEEDED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ERR_LOGIN_TOO_OLD',
  'ERR_SESSION_UNKNOWN',
  'ERR_TOKEN_MALFORMED',
  'ERR_TOKEN_MISSING',
])

/** Whether a failure means that the client has to log in again. No other failure may be answered in a way that makes it do so. */
export function isLoginNeeded(error: WeappError): boolean {
  return LOGIN_NEEDED.has(error.code)
}
