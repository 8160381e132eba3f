import { WeappError } from '../errors.js'
import type { CodeExchange, Identity } from '../exchange.js'
import type { JsonObject } from '../json-object.js'
import { LOGIN_MEANINGS } from './errcodes.js'
import type { WechatApi } from './wechat-api.js'

const MOST_CODE_LENGTH = 256
const CODE = /^[\x21-\x7e]+$/
const MOCK_CODE = 'the code is a mock one'

/**
 * The exchange of WeChat, and of QQ, whose API is the same on another host. It needs no access_token.
 *
 * A code is sent again only when WeChat certainly never saw it (once) or said that it was busy (twice).
 * Throws `ERR_CODE_INVALID`, `ERR_USER_BLOCKED`, `ERR_WECHAT_…` and `ERR_SERVER_MISCONFIGURED`.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
 */
export function code2Session(api: WechatApi): CodeExchange {
  return async ({ appid, secret }, code, signal) => {
    const query = { appid, secret, js_code: code, grant_type: 'authorization_code' }
    return identityIn(await api.call({ path: '/sns/jscode2session', query, signal }, LOGIN_MEANINGS))
  }
}

/**
 * Refuses what cannot be a code, before anything is sent: `ERR_REQUEST_INVALID`, or `ERR_CODE_MOCK` for the one that
 * WeChat DevTools hand out without a real AppID. `source` says where such a code comes from.
 */
export function checkCode(code: unknown, source = 'wx.login'): string {
  if (code === MOCK_CODE) {
    throw new WeappError(
      'ERR_CODE_MOCK',
      'This is a mock code: WeChat DevTools run without a real AppID. Set the AppID of the mini-program in its project settings.',
    )
  }
  if (typeof code !== 'string' || code.length > MOST_CODE_LENGTH || !CODE.test(code)) {
    throw new WeappError(
      'ERR_REQUEST_INVALID',
      `"code" must be the code of ${source}: up to ${MOST_CODE_LENGTH} characters without blanks.`,
    )
  }
  return code
}

/** The identity in an answer. Whether it really is one is left to `guardExchange`, which checks what every exchange returns. */
export function identityIn({ openid, session_key: sessionKey, unionid }: JsonObject): Identity {
  return { openid, sessionKey, unionid } as Identity
}
