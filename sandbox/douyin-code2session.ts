import { credentialsErrcode } from './credentials.js'
import { anonymousOpenidOf, newLogId } from './identifiers.js'
import { isText } from './option-checks.js'
import { jsonReply, type Reply } from './reply.js'
import { jsonFields, type ReceivedRequest } from './request-body.js'
import type { WeChat } from './wechat.js'

const ERR_TIPS: Readonly<Record<number, string>> = {
  [-1]: 'system error',
  40014: 'bad parameters',
  40015: 'bad appid',
  40017: 'bad secret',
  40018: 'bad code',
  40019: 'bad anonymous code',
}

/** WeChat's errcodes in Douyin's numbers. Those for missing parameters are all 40014. */
const ERR_NOS: Readonly<Record<number, number>> = { 40013: 40015, 40125: 40017 }

/** Exchanges a code, an anonymous code or both, as version 2 of Douyin's endpoint does: JSON in, JSON out. */
export function douyinCode2Session(wechat: WeChat, { method, body }: ReceivedRequest): Reply {
  const fields = method === 'POST' ? jsonFields(body) : undefined
  if (!fields) return errNoReply(40014)
  const { appid, secret, code, anonymous_code: anonymousCode } = fields
  const errcode = credentialsErrcode(wechat, appid, secret)
  if (errcode !== undefined) return errNoReply(ERR_NOS[errcode] ?? 40014)
  if (!isText(appid) || (!isText(code) && !isText(anonymousCode))) return errNoReply(40014)

  // Only peeks at the code before the anonymous code is redeemed, so that a refusal leaves both unused.
  if (isText(code) && typeof wechat.loginCodes.peek(code, appid) === 'string') return errNoReply(40018)
  const visitor = isText(anonymousCode) ? wechat.anonymousCodes.redeem(anonymousCode, appid) : undefined
  if (typeof visitor === 'string') return errNoReply(40019)
  const session = isText(code) ? wechat.exchange(code, appid) : undefined
  const data = {
    ...(typeof session === 'object' && session),
    ...(visitor && { anonymous_openid: anonymousOpenidOf(visitor.user, appid) }),
  }
  return jsonReply(200, { err_no: 0, err_tips: 'success', log_id: newLogId(wechat.clock()), data })
}

/** An error as Douyin sends it: HTTP 200 and no data. */
export function errNoReply(errNo: number, errTips: string = ERR_TIPS[errNo] ?? 'error'): Reply {
  return jsonReply(200, { err_no: errNo, err_tips: errTips })
}
