import { WeappError } from '../errors.js'
import type { LoginRequest, LoginResult } from '../flows/log-in.js'
import type { UserDataRequest } from '../flows/received-data.js'
import type { Sessions } from '../flows/sessions.js'
import type { JsonObject } from '../json-object.js'
import { isSessionId } from '../sessions/token.js'
import { tokenInHeaders } from './header-token.js'
import { jsonObject, textField } from './json-fields.js'
import { problemReply } from './problem.js'
import { type Protocol, presentedToken, route, type WireReply, type WireRequest } from './protocol.js'

/** The default header for the token. */
export const DEFAULT_HEADER = 'x-3rd-session'

/** Options of {@link nativeProtocol}. */
export interface NativeOptions {
  /** Whether a token in `Authorization: Bearer` is accepted as well. Default true. */
  readonly bearer?: boolean
}

/** The protocol of this package: JSON over REST, the token in a header, failures as problem details. */
export function nativeProtocol(
  header: string = DEFAULT_HEADER,
  { bearer = true }: NativeOptions = {},
): Protocol {
  const places = { header: header.toLowerCase(), bearer }
  const readToken = (request: WireRequest) => tokenInHeaders(request, places)
  const noContent = () => ({ status: 204 })

  return {
    readToken,
    writeError: problemReply,
    routes: [
      route({
        method: 'post',
        path: '/login',
        body: 'json',
        login: (request) => ({ app: textField(jsonObject(request), 'appid') }),
        read: (request) => readLogin(request, readToken),
        run: (sessions, login) => sessions.login(login),
        write: writeLogin,
      }),
      route({
        method: 'post',
        path: '/logout',
        read: readToken,
        run: (sessions, token) => sessions.logout(token),
        write: noContent,
      }),
      route({
        method: 'get',
        path: '/session',
        read: readToken,
        run: (sessions, token) => sessions.authenticate(token),
        write: ({ sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt, userInfo }) =>
          ok({ id: sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt, userInfo }),
      }),
      route({
        method: 'put',
        path: '/session/user-info',
        body: 'json',
        read: (request) => ({ token: readToken(request), data: readUserData(jsonObject(request)) }),
        run: setOwnUserInfo,
        write: (userInfo) => ok({ userInfo }),
      }),
      route({
        method: 'post',
        path: '/session/phone-number',
        body: 'json',
        read: (request) => ({ token: readToken(request), code: readPhoneCode(request) }),
        run: ownPhoneNumber,
        write: ok,
      }),
      route({ method: 'get', path: '/sessions', read: readToken, run: listOwn, write: ok }),
      route({
        method: 'delete',
        path: '/sessions/:id',
        read: (request) => ({ token: readToken(request), sessionId: request.params.id ?? '' }),
        run: revokeOwn,
        write: noContent,
      }),
      route({ method: 'delete', path: '/sessions', read: readToken, run: revokeOthers, write: noContent }),
    ],
  }
}

type Token = string | undefined

function readLogin(request: WireRequest, readToken: Protocol['readToken']): LoginRequest {
  const { mount, peer } = request
  const fields = jsonObject(request)
  const code = neededCode(fields, 'wx.login')
  return {
    ...readUserData(fields),
    code,
    appid: textField(fields, 'appid'),
    origin: { mount, peer, nonce: textField(fields, 'nonce') },
    presentedToken: presentedToken(() => readToken(request)),
  }
}

function readPhoneCode(request: WireRequest): string {
  return neededCode(jsonObject(request), 'the phone number button')
}

function neededCode(fields: JsonObject, source: string): string {
  const code = textField(fields, 'code')
  if (code !== undefined) return code
  throw new WeappError('ERR_REQUEST_INVALID', `"code" is missing: send the code from ${source}.`)
}

function readUserData(fields: JsonObject): UserDataRequest {
  return {
    encryptedData: textField(fields, 'encryptedData'),
    iv: textField(fields, 'iv'),
    rawData: textField(fields, 'rawData'),
    signature: textField(fields, 'signature'),
    code: textField(fields, 'code'),
    userInfo: fields.userInfo,
  }
}

function writeLogin({ token, session }: LoginResult): WireReply {
  const { expiresAt, idleExpiresAt, userInfo } = session
  return ok({ token, expiresAt, idleExpiresAt, userInfo })
}

async function setOwnUserInfo(sessions: Sessions, { token, data }: { token: Token; data: UserDataRequest }) {
  return sessions.setUserInfo(await sessions.authenticate(token), data)
}

async function ownPhoneNumber(sessions: Sessions, { token, code }: { token: Token; code: string }) {
  const { appid, openid } = await sessions.authenticate(token)
  return sessions.phoneNumber({ code, appid, openid })
}

async function listOwn(sessions: Sessions, token: Token) {
  const own = await sessions.authenticate(token)
  const live = await sessions.list(own)
  const summaries = live.map(({ sessionId: id, ...times }) => ({
    id,
    current: id === own.sessionId,
    ...times,
  }))
  return { sessions: summaries }
}

async function revokeOwn(sessions: Sessions, { token, sessionId }: { token: Token; sessionId: string }) {
  const { appid, openid } = await sessions.authenticate(token)
  const wasThere = isSessionId(sessionId) && (await sessions.revoke({ appid, openid, sessionId }))
  if (wasThere) return
  throw new WeappError('ERR_SESSION_NOT_FOUND', 'There is no such session, or it has already ended.')
}

async function revokeOthers(sessions: Sessions, token: Token) {
  const own = await sessions.authenticate(token)
  await sessions.revokeUser(own, { exceptSessionId: own.sessionId })
}

function ok(body: unknown): WireReply {
  return { status: 200, body }
}
