import type { Answer } from './answer.js'
import { errcodeAnswer, plainAnswer } from './errcodes.js'
import type { WeChat } from './wechat.js'

export const CODE2SESSION_PATH = '/sns/jscode2session'

/** Exchanges a code. Only the query string counts: WeChat does not look for the parameters in a body. */
export function code2Session(wechat: WeChat, query: Readonly<Record<string, string>>): Answer {
  const { appid, secret, js_code: code, grant_type: grantType } = query
  if (!appid) return errcodeAnswer(41002)
  const app = wechat.appWith(appid)
  if (!app) return errcodeAnswer(40013)
  if (!secret) return errcodeAnswer(41004)
  if (secret !== app.secret) return errcodeAnswer(40125)
  if (!code) return errcodeAnswer(41008)
  if (grantType !== 'authorization_code') return errcodeAnswer(40002)

  const exchanged = wechat.exchange(code, appid)
  if (exchanged === 'invalid') return errcodeAnswer(40029)
  if (exchanged === 'used') return errcodeAnswer(40163)
  return plainAnswer(exchanged)
}
