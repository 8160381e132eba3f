import type { Secret } from './secret.js'

/** The app whose code is exchanged. */
export interface ExchangeApp {
  readonly appid: string
  readonly secret: string
}

/** Up to 128 visible characters. */
const OPENID = /^[^\s\p{C}]{1,128}$/u

export function isOpenid(value: unknown): value is string {
  return typeof value === 'string' && OPENID.test(value)
}

/** A user as the platform identifies them, with the key for their data. */
export interface Identity {
  /** The user's id within this app, unique and permanent: it identifies the user from now on. */
  readonly openid: string
  /** The user's id across apps, where the platform provides one. */
  readonly unionid?: string | undefined
  /** 16 bytes as base64, with which the platform encrypts and signs the user's data. */
  readonly sessionKey: string
}

/** An {@link Identity} that has been checked, with a key that does not show when it is printed. */
export interface CheckedIdentity extends Omit<Identity, 'sessionKey'> {
  readonly sessionKey: Secret
}

/**
 * Exchanges a one-time login code for an identity. WeChat's is built in; {@link qqExchange} and
 * {@link douyinExchange} are others, and `exchange` of an `AppInfo` takes your own. It is called once per
 * code and must end on its own or when `signal` aborts. What it returns is checked.
 *
 * Anything it throws other than a `WeappError` becomes `ERR_WECHAT_NO_ANSWER`, as the code may have been
 * used.
 *
 * @example
 * const weCom: CodeExchange = async (app, code, signal) => {
 *   const url = `https://qyapi.weixin.qq.com/cgi-bin/miniprogram/jscode2session?${query(code)}`
 *   const { errcode, userid, session_key } = await (await fetch(url, { signal })).json()
 *   if (errcode === 40029) throw new WeappError('ERR_CODE_INVALID', 'Call wx.login for a new code.')
 *   if (errcode !== 0) throw new Error(`WeCom returned ${errcode}`)
 *   return { openid: userid, sessionKey: session_key }
 * }
 */
export type CodeExchange = (app: ExchangeApp, code: string, signal: AbortSignal) => Promise<Identity>
