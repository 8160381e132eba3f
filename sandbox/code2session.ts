import type { Answer } from './answer.js'
import { credentialsErrcode } from './credentials.js'
import { errcodeAnswer, plainAnswer } from './errcodes.js'
import { openidOf } from './identifiers.js'
import type { ReceivedRequest } from './request-body.js'
import type { WeChat } from './wechat.js'

export const CODE2SESSION_PATH = '/sns/jscode2session'

/**
 * Exchanges a code, for WeChat and in the same way for QQ. Only the query string counts: WeChat does not look for
 * the parameters in a body.
 */
export function code2Session(wechat: WeChat, { query }: ReceivedRequest): Answer {
  const { appid = '', secret, js_code: code, grant_type: grantType } = query
  const errcode = credentialsErrcode(wechat, appid, secret)
  if (errcode !== undefined) return errcodeAnswer(errcode)
  if (!code) return errcodeAnswer(41008)
  if (grantType !== 'authorization_code') return errcodeAnswer(40002)

  // Looked at before it is used, so that a code over the quota stays unused.
  const login = wechat.loginCodes.look(code, appid)
  if (typeof login !== 'string') {
    const overrun = wechat.quotas.spend('code2SessionPerUserPerMinute', openidOf(login.user, appid))
    if (overrun !== undefined) return errcodeAnswer(overrun)
  }
  const exchanged = wechat.exchange(code, appid)
  if (exchanged === 'invalid' || exchanged === 'foreign') return errcodeAnswer(40029)
  if (exchanged === 'used') return errcodeAnswer(40163)
  return plainAnswer(exchanged)
}
