import type { ExchangeApp } from '../exchange.js'
import { asNumber, isText, readAnswer } from './answer.js'
import { LOGIN_MEANINGS } from './errcodes.js'
import { withRetries } from './retries.js'
import { invalidAnswer, type WechatTransport } from './transport.js'

/** An access token as WeChat gave it. */
export interface GivenAccessToken {
  readonly accessToken: string
  readonly expiresInSeconds: number
}

/** Asks for the access token of an app. */
export type GiveAccessToken = (app: ExchangeApp) => Promise<GivenAccessToken>

/**
 * The stable access token in normal mode: WeChat gives the same one until five minutes before its end, then a new one, and
 * both are good for those five minutes. Never `force_refresh`, which kills the old one. Ends within `timeoutMs` milliseconds.
 * Throws `ERR_SERVER_MISCONFIGURED`, `ERR_WECHAT_…`.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/mp-access-token/getStableAccessToken.html
 */
export function stableAccessToken(transport: WechatTransport, timeoutMs: number): GiveAccessToken {
  return ({ appid, secret }) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const body = { grant_type: 'client_credential', appid, secret }
    return withRetries(signal, async () => {
      const answer = readAnswer(
        await transport.send({ path: '/cgi-bin/stable_token', body, signal }),
        LOGIN_MEANINGS,
      )
      const { access_token: accessToken, expires_in: expiresIn } = answer
      const expiresInSeconds = asNumber(expiresIn)
      if (!isText(accessToken)) throw invalidAnswer('an answer without an access_token')
      if (expiresInSeconds === undefined || expiresInSeconds <= 0) {
        throw invalidAnswer('an answer whose expires_in is missing or odd')
      }
      return { accessToken, expiresInSeconds }
    })
  }
}
