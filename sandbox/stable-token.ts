import { credentialsErrcode } from './credentials.js'
import { jsonErrcodeReply } from './errcodes.js'
import { jsonReply, type Reply } from './reply.js'
import { jsonFields, type ReceivedRequest } from './request-body.js'
import type { WeChat } from './wechat.js'

/** Returns the app's access token. Takes a JSON body only. */
export function stableToken(wechat: WeChat, { method, body }: ReceivedRequest): Reply {
  if (method !== 'POST') return jsonErrcodeReply(43002)
  const fields = jsonFields(body)
  if (!fields) return jsonErrcodeReply(47001)
  const { appid, secret, grant_type: grantType, force_refresh: isForced } = fields
  const errcode = credentialsErrcode(wechat, appid, secret)
  if (errcode !== undefined) return jsonErrcodeReply(errcode)
  const { quotas, accessTokens } = wechat
  const caller = String(appid)
  const overrun = quotas.spend('stableTokenPerMinute', caller) ?? quotas.spend('stableTokenPerDay', caller)
  if (overrun !== undefined) return jsonErrcodeReply(overrun)
  if (grantType !== 'client_credential') return jsonErrcodeReply(40002)

  const token = isForced === true ? accessTokens.forceRefresh(caller) : accessTokens.get(caller)
  return token === 'quota' ? jsonErrcodeReply(45009) : jsonReply(200, token)
}
