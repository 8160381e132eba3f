import { Secret } from '../secret.js'
import { LOGIN_MEANINGS } from './errcodes.js'
import { asNumber, isText } from './response.js'
import { invalidResponse } from './transport.js'
import type { WechatApi } from './wechat-api.js'

/** The access token of an app. */
export interface AppAccess {
  readonly appid: string
  readonly accessToken: Secret
}

export interface GivenAccessToken {
  readonly accessToken: Secret
  readonly expiresInSeconds: number
}

export type GiveAccessToken = (app: { appid: string; secret: Secret }) => Promise<GivenAccessToken>

/**
 * Fetches the stable access token: WeChat returns the same one until five minutes before it expires, then a
 * new one, and both are valid for those five minutes. Never with `force_refresh`, which invalidates the old
 * one. Throws `ERR_SERVER_MISCONFIGURED`, `ERR_WECHAT_…`.
 * Source:
 * https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-access-token/getStableAccessToken.html
 */
export function stableAccessToken(api: WechatApi): GiveAccessToken {
  return async ({ appid, secret }) => {
    const body = { grant_type: 'client_credential', appid, secret }
    const response = await api.call({ appid, path: '/cgi-bin/stable_token', body }, LOGIN_MEANINGS)
    const { access_token: accessToken, expires_in: expiresIn } = response
    const expiresInSeconds = asNumber(expiresIn)
    if (!isText(accessToken)) throw invalidResponse('a response without an access_token')
    if (expiresInSeconds === undefined || expiresInSeconds <= 0) {
      throw invalidResponse('a response with a missing or invalid expires_in')
    }
    return { accessToken: new Secret(accessToken), expiresInSeconds }
  }
}
