import type { Answer } from './answer.js'
import { CODE2SESSION_PATH, code2Session } from './code2session.js'
import { douyinCode2Session, errNoAnswer } from './douyin-code2session.js'
import { errcodeAnswer, jsonErrcodeAnswer } from './errcodes.js'
import type { ReceivedRequest } from './request-body.js'
import { checkSessionKey, resetUserSessionKey } from './session-key-endpoints.js'
import { stableToken } from './stable-token.js'
import { userPhoneNumber } from './user-phone-number.js'
import type { WeChat } from './wechat.js'

/** What an app's server may call, and the shape of the errors there. */
export interface ServerEndpoint {
  answer: (wechat: WeChat, request: ReceivedRequest) => Answer
  failure: (errcode: number, errmsg?: string) => Answer
}

/** WeChat's and, where the host is another but the path is the same, those of QQ; then Douyin's. */
export const SERVER_ENDPOINTS: ReadonlyMap<string, ServerEndpoint> = new Map([
  [CODE2SESSION_PATH, { answer: code2Session, failure: errcodeAnswer }],
  ['/cgi-bin/stable_token', { answer: stableToken, failure: jsonErrcodeAnswer }],
  ['/wxa/checksession', { answer: checkSessionKey, failure: jsonErrcodeAnswer }],
  ['/wxa/resetusersessionkey', { answer: resetUserSessionKey, failure: jsonErrcodeAnswer }],
  ['/wxa/business/getuserphonenumber', { answer: userPhoneNumber, failure: jsonErrcodeAnswer }],
  ['/api/apps/v2/jscode2session', { answer: douyinCode2Session, failure: errNoAnswer }],
])
