import { type ErrorCode, WeappError } from '../errors.js'
import type { LoginRequest, LoginResult } from '../flows/log-in.js'
import type { JsonObject } from '../json-object.js'
import { idOf, tokenFromPair } from './id-skey.js'
import { jsonObject } from './json-fields.js'
import { isAbsent, LEGACY_SESSION_DURATION_SECONDS, legacyOrigin } from './legacy-request.js'
import { durationOf, legacyUserInfo } from './legacy-user-info.js'
import { type Protocol, presentedToken, route, type WireReply, type WireRequest } from './protocol.js'
import { deviceIn } from './user-agent.js'

const DEFAULT_APP_ID = 1
const WRONG_LOGIN = '参数错误'
const WRONG_CHECK = '请求参数错误'
const ODD_ANSWER = '微信返回值错误'
const WECHAT_AWAY = '网络错误'
const SERVER_FAILED = '数据库错误'
const NOT_DECRYPTED = '解密用户数据失败'
const NOT_LOGGED_IN = '验证失败'
const LOGIN_REFUSED = '登录被拒绝'
const DIGITS = /^\d+$/
const SHORTEST_CODE = 7
const SHORTEST_UUID = 6
const SHORTEST_SKEY = 7
/** Clients send shorter strings for "none". */
const SHORTEST_ENCRYPTED_DATA = 51
const SHORTEST_IV = 6

/** What wxapp says about a failure; null for a wrong request, for which each route has its own words. */
const MESSAGES: Readonly<Record<ErrorCode, string | null>> = {
  ERR_ACCESS_TOKEN_UNAVAILABLE: ODD_ANSWER,
  ERR_APP_UNKNOWN: '获取app相关参数出错',
  ERR_BODY_INVALID: null,
  ERR_BODY_TIMEOUT: null,
  ERR_BODY_TOO_LARGE: null,
  ERR_CODE_INVALID: 'code 无效或已被使用',
  ERR_CODE_MOCK: null,
  ERR_CONFIRMATION_LIMIT: ODD_ANSWER,
  ERR_CONFIRMATION_REFUSED: ODD_ANSWER,
  ERR_CONFIRMATION_REQUIRED: ODD_ANSWER,
  ERR_DATA_MALFORMED: NOT_DECRYPTED,
  ERR_DECRYPTION_LIMIT: NOT_DECRYPTED,
  ERR_HOOK_FAILED: SERVER_FAILED,
  ERR_LOGIN_LIMIT: WECHAT_AWAY,
  ERR_LOGIN_REFUSED: LOGIN_REFUSED,
  ERR_LOGIN_TOO_OLD: NOT_LOGGED_IN,
  ERR_METHOD_NOT_ALLOWED: ODD_ANSWER,
  ERR_NOT_AUTHORIZED: ODD_ANSWER,
  ERR_PHONE_CODE_INVALID: ODD_ANSWER,
  ERR_PHONE_CODE_LIMIT: ODD_ANSWER,
  ERR_REQUEST_INVALID: null,
  ERR_SERVER_MISCONFIGURED: ODD_ANSWER,
  ERR_SERVICE_KEYS_UNAVAILABLE: SERVER_FAILED,
  ERR_SERVICE_TOKEN_INVALID: ODD_ANSWER,
  ERR_SERVICE_TOKEN_MISSING: ODD_ANSWER,
  ERR_SESSIONS_CLOSED: SERVER_FAILED,
  ERR_SESSION_KEY_STALE: NOT_DECRYPTED,
  ERR_SESSION_LIMIT: '更新session出错',
  ERR_SESSION_NOT_FOUND: ODD_ANSWER,
  ERR_SESSION_UNKNOWN: NOT_LOGGED_IN,
  ERR_STORE_UNAVAILABLE: SERVER_FAILED,
  ERR_TOKEN_MALFORMED: NOT_LOGGED_IN,
  ERR_TOKEN_MISSING: NOT_LOGGED_IN,
  ERR_USER_BLOCKED: ODD_ANSWER,
  ERR_USER_CHANGED: ODD_ANSWER,
  ERR_USER_INFO_REFUSED: LOGIN_REFUSED,
  ERR_WECHAT_ANSWER_INVALID: ODD_ANSWER,
  ERR_WECHAT_BUSY: WECHAT_AWAY,
  ERR_WECHAT_NO_ANSWER: WECHAT_AWAY,
  ERR_WECHAT_QUOTA: ODD_ANSWER,
  ERR_WECHAT_RATE_LIMITED: ODD_ANSWER,
  ERR_WECHAT_UNREACHABLE: WECHAT_AWAY,
}

class Refused extends WeappError {
  constructor(message: string) {
    super('ERR_REQUEST_INVALID', message)
  }
}

/**
 * The protocol of wxapp, Wafer for Django: `POST /login` and `POST /auth` with JSON under any content type,
 * `{ ok: "success" | "fail", msg, data }` out, always HTTP 200. Business services post what the phone sent
 * them to `/auth`. `app_id`, the `id` of an `AppInfo`, distinguishes several apps; without it a login is for
 * app 1.
 *
 * @example
 * app.use('/mina', loginRouter({ sessions, protocol: wxappProtocol() }))
 */
export function wxappProtocol(): Protocol {
  return {
    readToken,
    readApp: ({ body }) => asAppId(appIdOrDefault(fieldsOf(body))),
    writeError: (error) => failure(messageOf(error, WRONG_LOGIN)),
    routes: [
      route({
        method: 'post',
        path: '/login',
        body: 'json',
        login: ({ body }) => ({ app: asAppId(appIdOrDefault(fieldsOf(body))) }),
        read: readLogin,
        run: (sessions, login) => sessions.login(login),
        write: writeLogin,
      }),
      route({
        method: 'post',
        path: '/auth',
        body: 'json',
        read: readCheck,
        run: (sessions, { token, appId }) => sessions.authenticate(token, { appid: appId }),
        write: (session) => success('验证成功', { user_info: legacyUserInfo(session) }),
        writeError: (error) => failure(messageOf(error, WRONG_CHECK)),
      }),
      refuseOtherMethods('/login'),
      refuseOtherMethods('/auth'),
      route({
        method: 'all',
        path: '/',
        read: () => undefined,
        run: async () => undefined,
        write: () => ({ status: 200, body: { msg: 'welcome' } }),
      }),
    ],
  }
}

function refuseOtherMethods(path: string) {
  const refuse = () => {
    throw new Refused('not post method')
  }
  return route({ method: 'all', path, read: refuse, run: refuse, write: refuse })
}

function readLogin(request: WireRequest): LoginRequest {
  const fields = jsonObject(request)
  const [code = '', encryptedData = '', iv = ''] = ['code', 'encrypt_data', 'iv'].map((name) =>
    text(fields[name], WRONG_LOGIN),
  )
  const appid = appId(appIdOrDefault(fields), WRONG_LOGIN)
  if (code.length < SHORTEST_CODE) throw new Refused(WRONG_LOGIN)
  const hasData = encryptedData.length >= SHORTEST_ENCRYPTED_DATA && iv.length >= SHORTEST_IV
  return {
    code,
    appid,
    ...(hasData && { encryptedData, iv }),
    device: deviceIn(request),
    origin: legacyOrigin(request, hasData ? encryptedData : undefined),
    defaultSessionDurationSeconds: LEGACY_SESSION_DURATION_SECONDS,
    presentedToken: presentedToken(() => readToken(request)),
  }
}

function readCheck(request: WireRequest) {
  const fields = jsonObject(request)
  const [uuid = '', skey = ''] = ['uuid', 'skey'].map((name) => text(fields[name], WRONG_CHECK))
  if (uuid.length < SHORTEST_UUID || skey.length < SHORTEST_SKEY) throw new Refused(WRONG_CHECK)
  return { token: tokenFromPair(uuid, skey), appId: appId(fields.app_id, WRONG_CHECK) }
}

function text(value: unknown, wrong: string): string | undefined {
  if (isAbsent(value)) return undefined
  if (typeof value !== 'string') throw new Refused(wrong)
  const trimmed = value.trim()
  return isAbsent(trimmed) ? undefined : trimmed
}

function appIdOrDefault({ app_id: value }: JsonObject): unknown {
  return isAbsent(value) ? DEFAULT_APP_ID : value
}

function appId(value: unknown, wrong: string): number {
  const id = asAppId(value)
  if (id > 0) return id
  throw new Refused(wrong)
}

/** Returns a positive integer, also one sent as a string; 0, which no app has, for anything else. */
function asAppId(value: unknown): number {
  const id = typeof value === 'string' && DIGITS.test(value.trim()) ? Number(value) : value
  return typeof id === 'number' && Number.isInteger(id) && id > 0 ? id : 0
}

/** For `requireSession`: reads what a body parser of the application left, whatever it is. */
function readToken({ body }: WireRequest): string | undefined {
  const { uuid, skey } = fieldsOf(body)
  if (typeof uuid !== 'string' || typeof skey !== 'string' || isAbsent(uuid) || isAbsent(skey))
    return undefined
  return tokenFromPair(uuid.trim(), skey.trim())
}

function fieldsOf(body: unknown): JsonObject {
  return Object(body) as JsonObject
}

function writeLogin({ token, session, seenBefore }: LoginResult): WireReply {
  return success(seenBefore ? '更新session成功' : '新增session成功', {
    uuid: idOf(token),
    skey: token,
    user_info: legacyUserInfo(session),
    duration: durationOf(session),
  })
}

function success(msg: string, data: object): WireReply {
  return { status: 200, body: { ok: 'success', msg, data } }
}

function messageOf(error: WeappError, wrongRequest: string): string {
  return error instanceof Refused ? error.message : (MESSAGES[error.code] ?? wrongRequest)
}

function failure(msg: string): WireReply {
  return { status: 200, body: { ok: 'fail', msg, data: {} } }
}
