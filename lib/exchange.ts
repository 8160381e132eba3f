/** The app whose code is exchanged. */
export interface ExchangeApp {
  readonly appid: string
  readonly secret: string
}

const OPENID = /^[^\s\p{C}]{1,128}$/u

/** Whether a value can be an openid: a text of up to 128 visible characters without blanks. */
export function isOpenid(value: unknown): value is string {
  return typeof value === 'string' && OPENID.test(value)
}

/** Who the platform says somebody is, with the key for the data of that somebody. */
export interface Identity {
  /** The user of this app. Stands for the user from now on, so it has to be unique and lasting. */
  readonly openid: string
  /** The user across apps, where the platform tells. */
  readonly unionid?: string | undefined
  /** 16 bytes as base64, with which the platform encrypts and signs the user's data. */
  readonly sessionKey: string
}

/**
 * Exchanges a one-time login code for an identity. WeChat's is built in; {@link qqExchange} and {@link douyinExchange} are
 * others, and `exchange` of an `AppInfo` takes yours. It is called once for a code and has to end by itself or by `signal`.
 *
 * What it throws besides a `WeappError` is answered as `ERR_WECHAT_NO_ANSWER`: the code may have been used.
 *
 * @example
 * const weCom: CodeExchange = async (app, code, signal) => {
 *   const url = `https://qyapi.weixin.qq.com/cgi-bin/miniprogram/jscode2session?${query(code)}`
 *   const { errcode, userid, session_key } = await (await fetch(url, { signal })).json()
 *   if (errcode === 40029) throw new WeappError('ERR_CODE_INVALID', 'Call wx.login for a new code.')
 *   if (errcode !== 0) throw new Error(`WeCom answered ${errcode}`)
 *   return { openid: userid, sessionKey: session_key }
 * }
 */
export type CodeExchange = (app: ExchangeApp, code: string, signal: AbortSignal) => Promise<Identity>
