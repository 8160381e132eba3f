import { CODE2SESSION_PATH, code2Session } from './code2session.js'
import { douyinCode2Session, errNoReply } from './douyin-code2session.js'
import { errcodeReply, jsonErrcodeReply } from './errcodes.js'
import type { Reply } from './reply.js'
import type { ReceivedRequest } from './request-body.js'
import { checkSessionKey, resetUserSessionKey } from './session-key-endpoints.js'
import { stableToken } from './stable-token.js'
import { userPhoneNumber } from './user-phone-number.js'
import type { WeChat } from './wechat.js'

/** What an app's server may call, and how errors look there. */
export interface ServerEndpoint {
  reply: (wechat: WeChat, request: ReceivedRequest) => Reply
  failure: (errcode: number, errmsg?: string) => Reply
}

/** WeChat's, of which QQ has the first under a host of its own; then Douyin's. */
export const SERVER_ENDPOINTS: ReadonlyMap<string, ServerEndpoint> = new Map([
  [CODE2SESSION_PATH, { reply: code2Session, failure: errcodeReply }],
  ['/cgi-bin/stable_token', { reply: stableToken, failure: jsonErrcodeReply }],
  ['/wxa/checksession', { reply: checkSessionKey, failure: jsonErrcodeReply }],
  ['/wxa/resetusersessionkey', { reply: resetUserSessionKey, failure: jsonErrcodeReply }],
  ['/wxa/business/getuserphonenumber', { reply: userPhoneNumber, failure: jsonErrcodeReply }],
  ['/api/apps/v2/jscode2session', { reply: douyinCode2Session, failure: errNoReply }],
])
