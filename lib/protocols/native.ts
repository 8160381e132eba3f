import { WeappError } from '../errors.js'
import type { ConfirmationProof } from '../flows/confirm.js'
import type { LoginRequest } from '../flows/log-in.js'
import type { UserDataRequest } from '../flows/received-data.js'
import type { RenewalRequest } from '../flows/renew.js'
import type { Sessions } from '../flows/sessions.js'
import type { JsonObject } from '../json-object.js'
import { deviceNote } from '../sessions/device.js'
import type { RotatedSession } from '../sessions/session-rotation.js'
import { addressNamed, addressOf, publicIdOf } from '../sessions/token.js'
import { tokenInHeaders } from './header-token.js'
import { jsonObject, textField } from './json-fields.js'
import { problemReply } from './problem.js'
import {
  type LoginAttempt,
  type Protocol,
  presentedToken,
  route,
  type WireReply,
  type WireRequest,
} from './protocol.js'
import { deviceIn } from './user-agent.js'

/** The default header for the token. */
const DEFAULT_HEADER = 'x-3rd-session'

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
        login: loginAttempt,
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
        method: 'post',
        path: '/session/renewal',
        body: 'json',
        login: (request) => ({ renewedToken: presentedToken(() => readToken(request)) ?? '' }),
        read: (request) => readRenewal(request, readToken),
        run: (sessions, renewal) => sessions.renew(renewal),
        write: writeLogin,
      }),
      route({
        method: 'post',
        path: '/session/confirmation',
        body: 'json',
        read: (request) => ({ token: readToken(request), proof: jsonObject(request) }),
        run: confirmOwn,
        write: (confirmedAt) => ok({ confirmedAt }),
      }),
      route({
        method: 'get',
        path: '/session',
        read: readToken,
        run: (sessions, token) => sessions.authenticate(token),
        write: ({ sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt, confirmedAt, userInfo }) =>
          ok({ id: sessionId, createdAt, lastVisitAt, expiresAt, idleExpiresAt, confirmedAt, userInfo }),
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

function loginAttempt(request: WireRequest): LoginAttempt {
  return { app: textField(jsonObject(request), 'appid') }
}

function readLogin(request: WireRequest, readToken: Protocol['readToken']): LoginRequest {
  const { mount, peer } = request
  const fields = jsonObject(request)
  const code = neededCode(fields, 'wx.login')
  return {
    ...readUserData(fields),
    code,
    appid: textField(fields, 'appid'),
    device: deviceNote(textField(fields, 'device') ?? '') ?? deviceIn(request),
    origin: { mount, peer, nonce: textField(fields, 'nonce') },
    presentedToken: presentedToken(() => readToken(request)),
  }
}

function readRenewal(request: WireRequest, readToken: Protocol['readToken']): RenewalRequest {
  const { mount, peer } = request
  const fields = jsonObject(request)
  return {
    token: readToken(request),
    code: neededCode(fields, 'wx.login'),
    origin: { mount, peer, nonce: textField(fields, 'nonce') },
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

function writeLogin({ token, session }: RotatedSession): WireReply {
  const { expiresAt, idleExpiresAt, userInfo } = session
  return ok({ token, expiresAt, idleExpiresAt, userInfo })
}

async function setOwnUserInfo(sessions: Sessions, { token, data }: { token: Token; data: UserDataRequest }) {
  return sessions.setUserInfo(await sessions.authenticate(token), data)
}

async function ownPhoneNumber(sessions: Sessions, { token, code }: { token: Token; code: string }) {
  const { appid, openid } = await sessions.authenticate(token, { action: 'phone-number' })
  return sessions.phoneNumber({ code, appid, openid })
}

async function confirmOwn(
  sessions: Sessions,
  { token, proof }: { token: Token; proof: ConfirmationProof },
): Promise<Date> {
  return sessions.confirm(await sessions.authenticate(token), proof)
}

async function listOwn(sessions: Sessions, token: Token) {
  const own = await sessions.authenticate(token)
  const live = await sessions.list(own)
  const summaries = live.map(({ sessionId: id, device, ...times }) => ({
    id,
    current: id === own.sessionId,
    device: device ?? null,
    ...times,
  }))
  return { sessions: summaries }
}

async function revokeOwn(sessions: Sessions, { token, sessionId }: { token: Token; sessionId: string }) {
  // Ending one's own session is a logout, which asks for nothing more.
  const own = token === undefined ? undefined : addressOf(token)
  const action = own && publicIdOf(own) === sessionId ? undefined : 'end-sessions'
  const { appid, openid } = await sessions.authenticate(token, { action })
  const wasThere =
    addressNamed(sessionId) !== undefined && (await sessions.revoke({ appid, openid, sessionId }))
  if (wasThere) return
  throw new WeappError('ERR_SESSION_NOT_FOUND', 'There is no such session, or it has already ended.')
}

async function revokeOthers(sessions: Sessions, token: Token) {
  const own = await sessions.authenticate(token, { action: 'end-sessions' })
  await sessions.revokeUser(own, { exceptSessionId: own.sessionId })
}

function ok(body: unknown): WireReply {
  return { status: 200, body }
}
