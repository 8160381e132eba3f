import { isText } from './option-checks.js'
import type { WeChat } from './wechat.js'

/** Returns the errcode for a wrong appid or secret. */
export function credentialsErrcode(wechat: WeChat, appid: unknown, secret: unknown): number | undefined {
  if (!isText(appid)) return 41002
  const app = wechat.appWith(appid)
  if (!app) return 40013
  if (!isText(secret)) return 41004
  return secret === app.secret ? undefined : 40125
}

/** Returns the app that calls with an access token, or an errcode. */
export function callerOf(wechat: WeChat, accessToken: string | undefined): { appid: string } | number {
  if (!accessToken) return 41001
  const holder = wechat.accessTokens.holderOf(accessToken)
  return typeof holder === 'string' ? TOKEN_ERRCODES[holder] : holder
}

const TOKEN_ERRCODES = { malformed: 40014, expired: 42001, revoked: 40001 } as const
