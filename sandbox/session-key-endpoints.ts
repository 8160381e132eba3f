import { callerOf } from './credentials.js'
import { jsonErrcodeReply } from './errcodes.js'
import { signBody } from './open-data.js'
import { isText } from './option-checks.js'
import { jsonReply, type Reply } from './reply.js'
import { jsonFields, type ReceivedRequest } from './request-body.js'
import type { WeChat } from './wechat.js'

/**
 * Checks whether the caller knows a user's valid session_key. The documentation lists the parameters under
 * "request body" and shows them in the query, so both count. Without a valid key it returns 87009.
 */
export function checkSessionKey(wechat: WeChat, { query, body }: ReceivedRequest): Reply {
  const caller = callerOf(wechat, query.access_token)
  if (typeof caller === 'number') return jsonErrcodeReply(caller)
  const holder = keyHolder(wechat, caller, { ...jsonFields(body), ...query })
  if (typeof holder === 'number') return jsonErrcodeReply(holder === 87007 ? 87009 : holder)
  return jsonReply(200, { errcode: 0, errmsg: 'ok' })
}

/** Replaces the session_key of a user, for a caller who knows the valid one. */
export function resetUserSessionKey(wechat: WeChat, { method, query }: ReceivedRequest): Reply {
  if (method !== 'GET') return jsonErrcodeReply(43001)
  const caller = callerOf(wechat, query.access_token)
  if (typeof caller === 'number') return jsonErrcodeReply(caller)
  const overrun = wechat.quotas.spend('resetUserSessionKeyPerMinute', caller.appid)
  if (overrun !== undefined) return jsonErrcodeReply(overrun)
  const holder = keyHolder(wechat, caller, query)
  if (typeof holder === 'number') return jsonErrcodeReply(holder)
  const { openid, appid } = holder
  const sessionKey = wechat.sessionKeys.reset(openid, appid)
  return jsonReply(200, { errcode: 0, errmsg: 'ok', openid, session_key: sessionKey })
}

function keyHolder(
  wechat: WeChat,
  { appid }: { appid: string },
  parameters: Readonly<Record<string, unknown>>,
): { appid: string; openid: string } | number {
  const { openid, signature, sig_method: method } = parameters
  if (!isText(openid) || !isText(signature) || !isText(method)) return 40097
  if (method !== 'hmac_sha256') return 87008
  const sessionKey = wechat.sessionKeys.find(openid, appid)
  if (sessionKey === undefined) return 87007
  return signature === signBody('', sessionKey) ? { appid, openid } : 87009
}
