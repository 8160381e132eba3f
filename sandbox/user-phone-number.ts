import { callerOf } from './credentials.js'
import { jsonErrcodeReply } from './errcodes.js'
import { openidOf } from './identifiers.js'
import { isText } from './option-checks.js'
import { jsonReply, type Reply } from './reply.js'
import { jsonFields, type ReceivedRequest } from './request-body.js'
import type { WeChat } from './wechat.js'

/** Exchanges a code of the phone number button. The access token is in the query, the code in a JSON body. */
export function userPhoneNumber(wechat: WeChat, { method, query, body }: ReceivedRequest): Reply {
  if (method !== 'POST') return jsonErrcodeReply(43002)
  const caller = callerOf(wechat, query.access_token)
  if (typeof caller === 'number') return jsonErrcodeReply(caller)
  const fields = jsonFields(body)
  if (!fields) return jsonErrcodeReply(47001)
  const { code, openid } = fields
  const { appid } = caller

  if (!isText(code)) return jsonErrcodeReply(40029)
  const tap = wechat.phoneCodes.peek(code, appid)
  if (typeof tap === 'string') return jsonErrcodeReply(tap === 'foreign' ? 40013 : 40029)
  if (openid !== undefined && openid !== openidOf(tap.user, appid)) return jsonErrcodeReply(40029)
  wechat.phoneCodes.redeem(code, appid)
  const watermark = { timestamp: Math.floor(tap.issuedAt / 1000), appid }
  const phoneInfo = { ...wechat.phoneNumbers.of(tap.user), watermark }
  return jsonReply(200, { errcode: 0, errmsg: 'ok', phone_info: phoneInfo })
}
