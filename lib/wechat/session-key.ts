import { createHmac } from 'node:crypto'
import { WeappError } from '../errors.js'
import type { JsonObject } from '../json-object.js'
import { Secret } from '../secret.js'
import type { AppAccess } from './access-token.js'
import { SESSION_KEY_MEANINGS } from './errcodes.js'
import { isText } from './response.js'
import { invalidResponse } from './transport.js'
import type { WechatApi } from './wechat-api.js'

export interface HeldKey {
  readonly openid: string
  readonly sessionKey: Secret
}

/** The calls about a session_key: they prove that the caller knows it, without sending it. */
export interface SessionKeyApi {
  /** Whether WeChat accepts this key as the user's valid one. */
  check(held: HeldKey, access: AppAccess): Promise<boolean>
  /**
   * Replaces the valid key, which stops working at once; the new one expires when the old one would have.
   * Throws `ERR_SESSION_KEY_STALE` for any other key.
   */
  reset(held: HeldKey, access: AppAccess): Promise<Secret>
}

/**
 * Returns checkSessionKey and resetUserSessionKey. They throw `ERR_ACCESS_TOKEN_UNAVAILABLE`, `ERR_WECHAT_…`.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/checkSessionKey.html
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/ResetUserSessionKey.html
 */
export function createSessionKeyApi(api: WechatApi): SessionKeyApi {
  function ask(path: string, { openid, sessionKey }: HeldKey, access: AppAccess): Promise<JsonObject> {
    const { appid, accessToken } = access
    const signature = signBody('', sessionKey.reveal())
    const query = { access_token: accessToken, openid, signature, sig_method: 'hmac_sha256' }
    return api.call({ appid, path, query }, SESSION_KEY_MEANINGS)
  }

  return {
    async check(held, access) {
      try {
        await ask('/wxa/checksession', held, access)
        return true
      } catch (error) {
        if (error instanceof WeappError && error.code === 'ERR_SESSION_KEY_STALE') return false
        throw error
      }
    },
    async reset(held, access) {
      const response = await ask('/wxa/resetusersessionkey', held, access)
      const { openid, session_key: sessionKey } = response
      if ((openid ?? held.openid) !== held.openid) throw invalidResponse('the session_key of another openid')
      if (!isText(sessionKey)) throw invalidResponse('a response without a session_key')
      return new Secret(sessionKey)
    },
  }
}

/** Signs a request body, '' for a GET. The session_key is used as received: as text, not decoded. */
export function signBody(body: string, sessionKey: string): string {
  return createHmac('sha256', sessionKey).update(body).digest('hex')
}
