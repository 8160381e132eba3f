import { credentialsErrcode } from './credentials.js'
import { errcodeReply, plainTextReply } from './errcodes.js'
import { openidOf } from './identifiers.js'
import type { Reply } from './reply.js'
import type { ReceivedRequest } from './request-body.js'
import type { WeChat } from './wechat.js'

export const CODE2SESSION_PATH = '/sns/jscode2session'

/** Exchanges a code, for WeChat and for QQ alike. Only the query string counts: WeChat ignores the body. */
export function code2Session(wechat: WeChat, { query }: ReceivedRequest): Reply {
  const { appid = '', secret, js_code: code, grant_type: grantType } = query
  const errcode = credentialsErrcode(wechat, appid, secret)
  if (errcode !== undefined) return errcodeReply(errcode)
  if (!code) return errcodeReply(41008)
  if (grantType !== 'authorization_code') return errcodeReply(40002)

  // Peeked at first, so that a code over the quota stays unused.
  const login = wechat.loginCodes.peek(code, appid)
  if (typeof login !== 'string') {
    const overrun = wechat.quotas.spend('code2SessionPerUserPerMinute', openidOf(login.user, appid))
    if (overrun !== undefined) return errcodeReply(overrun)
  }
  const exchanged = wechat.exchange(code, appid)
  if (exchanged === 'invalid' || exchanged === 'foreign') return errcodeReply(40029)
  if (exchanged === 'used') return errcodeReply(40163)
  return plainTextReply(exchanged)
}
