import { type ErrorCode, kindOf, type WeappError } from '../errors.js'
import type { LoginResult } from '../flows/log-in.js'
import { legacyUserInfo } from './legacy-user-info.js'
import { type Protocol, route, type WireReply, type WireRequest } from './protocol.js'
import { loginInHeaders, wxHeader } from './wx-headers.js'

/** On this code the client drops its session and logs in again. */
const LOG_IN_AGAIN = -1
const FAILED = 1

/** What `wafer-node-sdk` called the failures that it knew. */
const LEGACY_ERRORS: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_CODE_INVALID: 'ERR_GET_SESSION_KEY',
  ERR_DATA_MALFORMED: 'ERR_IN_DECRYPT_DATA',
  ERR_DECRYPTION_LIMIT: 'ERR_IN_DECRYPT_DATA',
  ERR_LOGIN_TOO_OLD: 'ERR_SKEY_INVALID',
  ERR_REQUEST_INVALID: 'ERR_HEADER_MISSED',
  ERR_SESSION_KEY_STALE: 'ERR_IN_DECRYPT_DATA',
  ERR_SESSION_UNKNOWN: 'ERR_SKEY_INVALID',
  ERR_TOKEN_MALFORMED: 'ERR_SKEY_INVALID',
  ERR_TOKEN_MISSING: 'ERR_SKEY_INVALID',
}

/**
 * The protocol of Wafer 2: `wafer2-client-sdk`, and `wafer-node-sdk` with its quickstart server. `X-WX-Code`
 * logs in, with or without `X-WX-Encrypted-Data` and `X-WX-IV`; after that `X-WX-Skey` is enough. Mounts
 * `/login` for any method.
 *
 * A missing session is HTTP 200 with code -1, on which the client logs in again. A store that is down is a
 * 503 with another code, on which it does not.
 *
 * @example
 * app.use('/wafer2', loginRouter({ sessions, protocol: wafer2Protocol() }))
 */
export function wafer2Protocol(): Protocol {
  return {
    readToken,
    writeError: writeSessionError,
    routes: [
      route({
        method: 'all',
        path: '/login',
        login: () => ({}),
        read: (request) => loginInHeaders(request, readToken),
        run: (sessions, login) => sessions.login(login),
        write: writeLogin,
        writeError: (error) => ({ status: 200, body: failure(LOG_IN_AGAIN, error) }),
      }),
    ],
  }
}

function readToken(request: WireRequest): string | undefined {
  return wxHeader(request, 'skey')
}

function writeLogin({ token, session }: LoginResult): WireReply {
  const userinfo = legacyUserInfo(session)
  const data = { userinfo, skey: token, time: userinfo.watermark.timestamp }
  return { status: 200, body: { code: 0, data } }
}

function writeSessionError(error: WeappError): WireReply {
  if (kindOf(error.code).asksLogin) return { status: 200, body: failure(LOG_IN_AGAIN, error) }
  // The client takes a 401 for "log in again" whatever the body says.
  const status = error.status === 401 ? 400 : error.status
  return { status, headers: error.headers, body: failure(FAILED, error) }
}

function failure(code: number, error: WeappError) {
  return { code, error: LEGACY_ERRORS[error.code] ?? error.code, message: error.message, data: {} }
}
