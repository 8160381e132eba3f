import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type ErrorCode, kindOf, WeappError } from '../../lib/errors.js'
import {
  type Protocol,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'

type Told = readonly [wafer: string, wafer2: string, wxapp: string, waferServer: string]

const WRONG_LOGIN = '参数错误'
const WRONG_CHECK = '请求参数错误'

// Written out once more on purpose: old clients switch on these, so a change has to be made twice.
// biome-ignore format: a table
const TOLD: Readonly<Record<ErrorCode, Told>> = {
  ERR_ACCESS_TOKEN_UNAVAILABLE: ['ERR_CHECK_LOGIN_FAILED', 'ERR_ACCESS_TOKEN_UNAVAILABLE', '微信返回值错误', '1005 WEIXIN_NET_ERR'],
  ERR_APP_UNKNOWN: ['ERR_CHECK_LOGIN_FAILED', 'ERR_APP_UNKNOWN', '获取app相关参数出错', '1012 NO_APPID'],
  ERR_BODY_INVALID: ['ERR_CHECK_LOGIN_FAILED', 'ERR_BODY_INVALID', '参数错误', '1009 REQUEST_IS_NOT_JSON'],
  ERR_BODY_TIMEOUT: ['ERR_CHECK_LOGIN_FAILED', 'ERR_BODY_TIMEOUT', '参数错误', '1009 REQUEST_IS_NOT_JSON'],
  ERR_BODY_TOO_LARGE: ['ERR_CHECK_LOGIN_FAILED', 'ERR_BODY_TOO_LARGE', '参数错误', '1009 REQUEST_IS_NOT_JSON'],
  ERR_CODE_INVALID: ['ERR_CHECK_LOGIN_FAILED', 'ERR_GET_SESSION_KEY', 'code 无效或已被使用', '40029 WEIXIN_CODE_ERR'],
  ERR_CODE_MOCK: ['ERR_CHECK_LOGIN_FAILED', 'ERR_CODE_MOCK', '参数错误', '40029 WEIXIN_CODE_ERR'],
  ERR_CONFIRMATION_LIMIT: ['ERR_CHECK_LOGIN_FAILED', 'ERR_CONFIRMATION_LIMIT', '微信返回值错误', '1006 CHANGE_SESSION_ERR'],
  ERR_CONFIRMATION_REFUSED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_CONFIRMATION_REFUSED', '微信返回值错误', '1006 CHANGE_SESSION_ERR'],
  ERR_CONFIRMATION_REQUIRED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_CONFIRMATION_REQUIRED', '微信返回值错误', '1006 CHANGE_SESSION_ERR'],
  ERR_DATA_MALFORMED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_IN_DECRYPT_DATA', '解密用户数据失败', '60021 DECRYPT_FAIL'],
  ERR_DECRYPTION_LIMIT: ['ERR_CHECK_LOGIN_FAILED', 'ERR_IN_DECRYPT_DATA', '解密用户数据失败', '60021 DECRYPT_FAIL'],
  ERR_HOOK_FAILED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_HOOK_FAILED', '数据库错误', '1001 DATABASE_ERR'],
  ERR_LOGIN_LIMIT: ['ERR_CHECK_LOGIN_FAILED', 'ERR_LOGIN_LIMIT', '网络错误', '1005 WEIXIN_NET_ERR'],
  ERR_LOGIN_REFUSED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_LOGIN_REFUSED', '登录被拒绝', '1006 CHANGE_SESSION_ERR'],
  ERR_LOGIN_TOO_OLD: ['ERR_INVALID_SESSION', 'ERR_SKEY_INVALID', '验证失败', '60012 AUTH_FAIL'],
  ERR_METHOD_NOT_ALLOWED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_METHOD_NOT_ALLOWED', '微信返回值错误', '1003 PARA_ERR'],
  ERR_NOT_AUTHORIZED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_NOT_AUTHORIZED', '微信返回值错误', '60012 AUTH_FAIL'],
  ERR_PHONE_CODE_INVALID: ['ERR_CHECK_LOGIN_FAILED', 'ERR_PHONE_CODE_INVALID', '微信返回值错误', '40029 WEIXIN_CODE_ERR'],
  ERR_PHONE_CODE_LIMIT: ['ERR_CHECK_LOGIN_FAILED', 'ERR_PHONE_CODE_LIMIT', '微信返回值错误', '40029 WEIXIN_CODE_ERR'],
  ERR_REQUEST_INVALID: ['ERR_CHECK_LOGIN_FAILED', 'ERR_HEADER_MISSED', '参数错误', '1003 PARA_ERR'],
  ERR_SERVER_MISCONFIGURED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_SERVER_MISCONFIGURED', '微信返回值错误', '1007 WEIXIN_RETURN_ERR'],
  ERR_SERVICE_KEYS_UNAVAILABLE: ['ERR_CHECK_LOGIN_FAILED', 'ERR_SERVICE_KEYS_UNAVAILABLE', '数据库错误', '1001 DATABASE_ERR'],
  ERR_SERVICE_TOKEN_INVALID: ['ERR_CHECK_LOGIN_FAILED', 'ERR_SERVICE_TOKEN_INVALID', '微信返回值错误', '1003 PARA_ERR'],
  ERR_SERVICE_TOKEN_MISSING: ['ERR_CHECK_LOGIN_FAILED', 'ERR_SERVICE_TOKEN_MISSING', '微信返回值错误', '1003 PARA_ERR'],
  ERR_SESSIONS_CLOSED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_SESSIONS_CLOSED', '数据库错误', '1001 DATABASE_ERR'],
  ERR_SESSION_KEY_STALE: ['ERR_CHECK_LOGIN_FAILED', 'ERR_IN_DECRYPT_DATA', '解密用户数据失败', '60021 DECRYPT_FAIL'],
  ERR_SESSION_LIMIT: ['ERR_CHECK_LOGIN_FAILED', 'ERR_SESSION_LIMIT', '更新session出错', '1006 CHANGE_SESSION_ERR'],
  ERR_SESSION_NOT_FOUND: ['ERR_CHECK_LOGIN_FAILED', 'ERR_SESSION_NOT_FOUND', '微信返回值错误', '60012 AUTH_FAIL'],
  ERR_SESSION_UNKNOWN: ['ERR_INVALID_SESSION', 'ERR_SKEY_INVALID', '验证失败', '60012 AUTH_FAIL'],
  ERR_STORE_UNAVAILABLE: ['ERR_CHECK_LOGIN_FAILED', 'ERR_STORE_UNAVAILABLE', '数据库错误', '1001 DATABASE_ERR'],
  ERR_TOKEN_MALFORMED: ['ERR_INVALID_SESSION', 'ERR_SKEY_INVALID', '验证失败', '60012 AUTH_FAIL'],
  ERR_TOKEN_MISSING: ['ERR_INVALID_SESSION', 'ERR_SKEY_INVALID', '验证失败', '1003 PARA_ERR'],
  ERR_USER_BLOCKED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_USER_BLOCKED', '微信返回值错误', '40029 WEIXIN_CODE_ERR'],
  ERR_USER_CHANGED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_USER_CHANGED', '微信返回值错误', '60012 AUTH_FAIL'],
  ERR_USER_INFO_REFUSED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_USER_INFO_REFUSED', '登录被拒绝', '1006 CHANGE_SESSION_ERR'],
  ERR_WECHAT_ANSWER_INVALID: ['ERR_CHECK_LOGIN_FAILED', 'ERR_WECHAT_ANSWER_INVALID', '微信返回值错误', '1007 WEIXIN_RETURN_ERR'],
  ERR_WECHAT_BUSY: ['ERR_CHECK_LOGIN_FAILED', 'ERR_WECHAT_BUSY', '网络错误', '1005 WEIXIN_NET_ERR'],
  ERR_WECHAT_NO_ANSWER: ['ERR_CHECK_LOGIN_FAILED', 'ERR_WECHAT_NO_ANSWER', '网络错误', '1005 WEIXIN_NET_ERR'],
  ERR_WECHAT_QUOTA: ['ERR_CHECK_LOGIN_FAILED', 'ERR_WECHAT_QUOTA', '微信返回值错误', '1007 WEIXIN_RETURN_ERR'],
  ERR_WECHAT_RATE_LIMITED: ['ERR_CHECK_LOGIN_FAILED', 'ERR_WECHAT_RATE_LIMITED', '微信返回值错误', '1007 WEIXIN_RETURN_ERR'],
  ERR_WECHAT_UNREACHABLE: ['ERR_CHECK_LOGIN_FAILED', 'ERR_WECHAT_UNREACHABLE', '网络错误', '1005 WEIXIN_NET_ERR'],
}

/** What a client gets for a failure; of a route of its own where there is one. */
function written(protocol: Protocol, code: ErrorCode, path?: string) {
  const own = protocol.routes.find((route) => route.path === path)?.writeError
  const { status, body } = (own ?? protocol.writeError)(new WeappError(code, 'A message.'))
  return { status, body: body as Readonly<Record<string, unknown>> }
}

for (const [code, told] of Object.entries(TOLD) as [ErrorCode, Told][]) {
  const [waferError, wafer2Error, wxappMessage, waferServerOutcome] = told
  const { asksLogin, status } = kindOf(code)

  describe(`${code} in the protocols of old clients`, () => {
    it(`is ${waferError} in Wafer 1, which ${asksLogin ? '' : 'does not '}make the client log in again`, () => {
      const hasMagic = asksLogin || status >= 500
      const { body, ...answer } = written(waferProtocol(), code)
      expect(answer).to.deep.equal({ status: hasMagic ? 200 : status })
      expect(body).to.include({ error: waferError, type: waferError })
      expect(Object.values(body).includes(1)).to.equal(hasMagic)
      expect(waferError === 'ERR_INVALID_SESSION').to.equal(asksLogin)
    })

    it('is a failed login of Wafer 1, unless the session is not there', () => {
      const { status: loginStatus, body } = written(waferProtocol(), code, '/login')
      expect(loginStatus).to.equal(200)
      expect(body.error).to.equal(asksLogin ? 'ERR_INVALID_SESSION' : 'ERR_LOGIN_FAILED')
    })

    it(`is ${wafer2Error} in Wafer 2, with -1 where the client has to log in again`, () => {
      const { status: given, body } = written(wafer2Protocol(), code)
      expect(body).to.include({ code: asksLogin ? -1 : 1, error: wafer2Error })
      expect(given).to.equal(asksLogin ? 200 : status === 401 ? 400 : status)
      expect(written(wafer2Protocol(), code, '/login').body).to.include({ code: -1, error: wafer2Error })
      expect(wafer2Error === 'ERR_SKEY_INVALID').to.equal(asksLogin)
    })

    it(`is ${wxappMessage} in wxapp`, () => {
      expect(written(wxappProtocol(), code).body.msg).to.equal(wxappMessage)
      const ofCheck = wxappMessage === WRONG_LOGIN ? WRONG_CHECK : wxappMessage
      expect(written(wxappProtocol(), code, '/auth').body.msg).to.equal(ofCheck)
      expect(wxappMessage === '验证失败').to.equal(asksLogin)
    })

    it(`is ${waferServerOutcome} at the Wafer session server`, () => {
      const { returnCode, returnMessage } = written(waferServerProtocol(), code).body
      expect(`${returnCode} ${returnMessage}`).to.equal(waferServerOutcome)
    })
  })
}
