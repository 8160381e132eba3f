import { type Answer, jsonAnswer } from './answer.js'
import { credentialsErrcode } from './credentials.js'
import { jsonErrcodeAnswer } from './errcodes.js'
import { jsonFields, type ReceivedRequest } from './request-body.js'
import type { WeChat } from './wechat.js'

/** Gives out the app's access token. Only a JSON body counts. */
export function stableToken(wechat: WeChat, { method, body }: ReceivedRequest): Answer {
  if (method !== 'POST') return jsonErrcodeAnswer(43002)
  const fields = jsonFields(body)
  if (!fields) return jsonErrcodeAnswer(47001)
  const { appid, secret, grant_type: grantType, force_refresh: isForced = false } = fields
  const errcode = credentialsErrcode(wechat, appid, secret)
  if (errcode !== undefined) return jsonErrcodeAnswer(errcode)
  const overrun = quotaErrcode(wechat, String(appid))
  if (overrun !== undefined) return jsonErrcodeAnswer(overrun)
  if (grantType !== 'client_credential') return jsonErrcodeAnswer(40002)

  const { accessTokens } = wechat
  const given =
    isForced === true ? accessTokens.forceRefresh(String(appid)) : accessTokens.give(String(appid))
  return given === 'quota' ? jsonErrcodeAnswer(45009) : jsonAnswer(200, given)
}

function quotaErrcode({ quotas }: WeChat, appid: string): number | undefined {
  return quotas.spend('stableTokenPerMinute', appid) ?? quotas.spend('stableTokenPerDay', appid)
}
