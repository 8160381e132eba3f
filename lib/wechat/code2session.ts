import { setTimeout as pause } from 'node:timers/promises'
import { WeappError } from '../errors.js'
import { errorFromErrcode } from './errcodes.js'
import { invalidAnswer, type WechatTransport } from './transport.js'

const BUSY_PAUSES_MS = [100, 300] as const
const CONNECT_PAUSES_MS = [50] as const
const MOST_CODE_LENGTH = 256
const CODE = /^[\x21-\x7e]+$/
const MOCK_CODE = 'the code is a mock one'

/** Who logs in where. */
export interface ExchangeApp {
  readonly appid: string
  readonly secret: string
}

/** Who WeChat says it is. */
export interface ExchangedIdentity {
  readonly openid: string
  readonly unionid: string | undefined
  readonly sessionKey: string
}

/** Exchanges a login code for an identity: one call, within its deadline. */
export type CodeExchange = (app: ExchangeApp, code: string) => Promise<ExchangedIdentity>

/**
 * The exchange of WeChat. It needs no access_token. All of it, retries included, ends within `timeoutMs`.
 *
 * A code is sent again only when WeChat certainly never saw it (once) or said that it was busy (twice).
 * Throws `ERR_CODE_INVALID`, `ERR_USER_BLOCKED`, `ERR_WECHAT_…` and `ERR_SERVER_MISCONFIGURED`.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-login/code2Session.html
 */
export function code2Session(transport: WechatTransport, timeoutMs: number): CodeExchange {
  return async function exchange({ appid, secret }, code) {
    const signal = AbortSignal.timeout(timeoutMs)
    const query = { appid, secret, js_code: code, grant_type: 'authorization_code' }
    const pausesMs: Partial<Record<string, number[]>> = {
      ERR_WECHAT_BUSY: [...BUSY_PAUSES_MS],
      ERR_WECHAT_UNREACHABLE: [...CONNECT_PAUSES_MS],
    }
    for (;;) {
      try {
        return readIdentity(await transport.get({ path: '/sns/jscode2session', query, signal }))
      } catch (error) {
        const pauseMs = error instanceof WeappError ? pausesMs[error.code]?.shift() : undefined
        if (pauseMs === undefined) throw error
        await pause(pauseMs, undefined, { signal }).catch(() => {
          throw error
        })
      }
    }
  }
}

/**
 * Refuses what cannot be a code, before anything is sent: `ERR_REQUEST_INVALID`, or `ERR_CODE_MOCK` for the one that
 * WeChat DevTools hand out without a real AppID.
 */
export function checkCode(code: unknown): string {
  if (code === MOCK_CODE) {
    throw new WeappError(
      'ERR_CODE_MOCK',
      'This is a mock code: WeChat DevTools run without a real AppID. Set the AppID of the mini-program in its project settings.',
    )
  }
  if (typeof code !== 'string' || code.length > MOST_CODE_LENGTH || !CODE.test(code)) {
    throw new WeappError(
      'ERR_REQUEST_INVALID',
      `"code" must be the code of wx.login: up to ${MOST_CODE_LENGTH} characters without blanks.`,
    )
  }
  return code
}

/** Needs openid and session_key and nothing else: fields have come and gone without notice. */
function readIdentity(body: string): ExchangedIdentity {
  const answer = parseAnswer(body)
  const { errcode, errmsg, openid, session_key: sessionKey, unionid } = answer
  if (errcode !== undefined && errcode !== 0) {
    if (typeof errcode !== 'number') throw invalidAnswer('an errcode that is not a number')
    throw errorFromErrcode(errcode, errmsg)
  }
  if (!isText(openid) || !isText(sessionKey)) throw invalidAnswer('an answer without openid or session_key')
  return { openid, sessionKey, unionid: isText(unionid) ? unionid : undefined }
}

/** WeChat says text/plain, so the content type is not looked at. */
function parseAnswer(body: string): Record<string, unknown> {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    throw invalidAnswer('an answer that is not JSON')
  }
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer))
    throw invalidAnswer('an answer that is not an object')
  return answer as Record<string, unknown>
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
