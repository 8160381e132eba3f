import { type Answer, jsonAnswer } from './answer.js'
import { callerOf } from './credentials.js'
import { jsonErrcodeAnswer } from './errcodes.js'
import { openidOf } from './identifiers.js'
import { isText } from './option-checks.js'
import { jsonFields, type ReceivedRequest } from './request-body.js'
import type { WeChat } from './wechat.js'

/** Exchanges a code of the phone number button. The access token is in the query, the code in a JSON body. */
export function userPhoneNumber(wechat: WeChat, { method, query, body }: ReceivedRequest): Answer {
  if (method !== 'POST') return jsonErrcodeAnswer(43002)
  const caller = callerOf(wechat, query.access_token)
  if (typeof caller === 'number') return jsonErrcodeAnswer(caller)
  const fields = jsonFields(body)
  if (!fields) return jsonErrcodeAnswer(47001)
  const { code, openid } = fields
  const { appid } = caller

  if (!isText(code)) return jsonErrcodeAnswer(40029)
  const tap = wechat.phoneCodes.look(code, appid)
  if (typeof tap === 'string') return jsonErrcodeAnswer(tap === 'foreign' ? 40013 : 40029)
  if (openid !== undefined && openid !== openidOf(tap.user, appid)) return jsonErrcodeAnswer(40029)
  wechat.phoneCodes.redeem(code, appid)
  const watermark = { timestamp: Math.floor(tap.issuedAt / 1000), appid }
  const phoneInfo = { ...wechat.phoneNumbers.of(tap.user), watermark }
  return jsonAnswer(200, { errcode: 0, errmsg: 'ok', phone_info: phoneInfo })
}
