import { kindOf, type WeappError } from '../errors.js'
import type { LoginRequest } from '../flows/log-in.js'
import type { Sessions } from '../flows/sessions.js'
import { idOf, tokenFromPair } from './id-skey.js'
import { type Protocol, route, type WireReply, type WireRequest } from './protocol.js'
import { loginInHeaders, wxHeader } from './wx-headers.js'

/** Marks a response of the session layer, not of the application. */
const MAGIC = { 'F2C224D4-2BCE-4C64-AF9F-A6D872000D1A': 1 } as const

type Entry = { readonly token: string } | { readonly login: LoginRequest }

/**
 * The protocol of Wafer 1: `wafer-client-sdk`, and the servers `wafer-node-session` and
 * `qcloud-weapp-server-sdk`. Everything travels in headers: `X-WX-Code`, `X-WX-Encrypted-Data` and `X-WX-IV`
 * to log in, then `X-WX-Id` and `X-WX-Skey`. Failures of the session are HTTP 200 with the client's magic
 * key. Mounts `/login` for any method.
 *
 * Only a missing session is `ERR_INVALID_SESSION`, on which the client logs in again and repeats its request.
 * A store that is down is `ERR_CHECK_LOGIN_FAILED`: the client fails at once, and logs in with a later
 * request.
 *
 * @example
 * app.use('/wafer', loginRouter({ sessions, protocol: waferProtocol() }))
 */
export function waferProtocol(): Protocol {
  return {
    readToken,
    writeError: writeSessionError,
    routes: [
      route({
        method: 'all',
        path: '/login',
        login: (request) => ('login' in readEntry(request) ? {} : undefined),
        read: readEntry,
        run: enter,
        write: (body) => ({ status: 200, body }),
        writeError: writeLoginError,
      }),
    ],
  }
}

function readToken(request: WireRequest): string | undefined {
  return tokenFromPair(wxHeader(request, 'id'), wxHeader(request, 'skey'))
}

/** A code is a login even with a valid session, which then ends. */
function readEntry(request: WireRequest): Entry {
  const token = wxHeader(request, 'code') === undefined ? readToken(request) : undefined
  return token === undefined ? { login: loginInHeaders(request, readToken) } : { token }
}

/** With a valid session and no code the client is already logged in, as with `wafer-node-session`. */
async function enter(sessions: Sessions, entry: Entry) {
  if ('token' in entry) {
    await sessions.authenticate(entry.token)
    return { code: 0, message: '小程序会话已登录' }
  }
  const { token } = await sessions.login(entry.login)
  return { ...MAGIC, session: { id: idOf(token), skey: token } }
}

/** The magic key makes the client drop its session and fail: not for a mistake in a single request. */
function writeSessionError(error: WeappError): WireReply {
  if (kindOf(error.code).asksLogin) return withMagic(failure('ERR_INVALID_SESSION', '会话已失效，请重新登录'))
  const body = failure('ERR_CHECK_LOGIN_FAILED', `检查登录态失败（${error.code}）`)
  return error.status >= 500 ? withMagic(body) : { status: error.status, headers: error.headers, body }
}

function writeLoginError(error: WeappError): WireReply {
  if (kindOf(error.code).asksLogin) return writeSessionError(error)
  const message = `登录小程序会话失败（${error.code}）：${error.message}`
  return withMagic(failure('ERR_LOGIN_FAILED', message))
}

function withMagic(body: object): WireReply {
  return { status: 200, body: { ...MAGIC, ...body } }
}

/** `error` is what the client reads; `wafer-node-session` calls it `type`. */
function failure(error: string, message: string) {
  return { error, type: error, message }
}
