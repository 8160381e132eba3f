import { WeappError } from '../errors.js'
import type { CodeExchange, Identity } from '../exchange.js'
import type { JsonObject } from '../json-object.js'
import { Secret } from '../secret.js'
import { LOGIN_MEANINGS } from './errcodes.js'
import type { WechatApi } from './wechat-api.js'

const MOST_CODE_LENGTH = 256
const CODE = /^[\x21-\x7e]+$/
const MOCK_CODE = 'the code is a mock one'

/**
 * Returns the exchange of WeChat, and of QQ, whose API is the same on another host. A code is sent again only
 * if WeChat certainly never saw it (once) or was busy (twice). Throws `ERR_CODE_INVALID`, `ERR_USER_BLOCKED`,
 * `ERR_WECHAT_…` and `ERR_SERVER_MISCONFIGURED`.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
 */
export function code2Session(api: WechatApi): CodeExchange {
  return async ({ appid, secret }, code, signal) => {
    const secrets = { secret: new Secret(secret), js_code: new Secret(code) }
    const query = { appid, ...secrets, grant_type: 'authorization_code' }
    return identityIn(await api.call({ appid, path: '/sns/jscode2session', query, signal }, LOGIN_MEANINGS))
  }
}

/**
 * Checks the form of a code from `source` before anything is sent. Throws `ERR_REQUEST_INVALID`, or
 * `ERR_CODE_MOCK` for the code that WeChat DevTools hands out without a real AppID.
 */
export function checkCode(code: unknown, source = 'wx.login'): string {
  if (code === MOCK_CODE) {
    throw new WeappError(
      'ERR_CODE_MOCK',
      'This is a mock code: WeChat DevTools is running without a real AppID. Set the AppID in the project settings.',
    )
  }
  if (typeof code !== 'string' || code.length > MOST_CODE_LENGTH || !CODE.test(code)) {
    throw new WeappError(
      'ERR_REQUEST_INVALID',
      `"code" must be a code from ${source}: up to ${MOST_CODE_LENGTH} characters without spaces.`,
    )
  }
  return code
}

/** Returns the identity in a response, unchecked: `guardExchange` checks what every exchange returns. */
export function identityIn({ openid, session_key: sessionKey, unionid }: JsonObject): Identity {
  return { openid, sessionKey, unionid } as Identity
}
