import type { Agent } from 'node:http'
import type { CodeExchange } from '../exchange.js'
import { isJsonObject } from '../json-object.js'
import { checkOptionNames, httpAddress } from '../options.js'
import type { Dialect } from './answer.js'
import { code2Session, identityIn } from './code2session.js'
import { type Meanings, misconfigured } from './errcodes.js'
import { agentOption, createTransport, invalidAnswer } from './transport.js'
import { createWechatApi, type WechatApi } from './wechat-api.js'

/** Options of {@link qqExchange} and {@link douyinExchange}. */
export interface ExchangeOptions {
  /** Where the platform's API is. Default: its public address; a sandbox's `url` in tests. */
  baseUrl?: string
  /** The Agent by which it is reached, such as that of a forward proxy. Default: connections of its own. */
  agent?: Agent
}

const NEW_CODE = 'Douyin does not accept this code: it is used or expired. Call tt.login for a new one.'

const DOUYIN: Dialect = { platform: 'Douyin', errcode: 'err_no', errmsg: 'err_tips' }

/** Douyin numbers its mistakes otherwise: these are its own, what it shares with WeChat means the same. */
const DOUYIN_MEANINGS: Meanings = {
  40014: misconfigured('a parameter is missing or malformed'),
  40015: misconfigured('the appid is wrong'),
  40017: misconfigured('the secret is wrong'),
  40018: { code: 'ERR_CODE_INVALID', detail: NEW_CODE },
  40019: { code: 'ERR_CODE_INVALID', detail: NEW_CODE },
}

/**
 * The exchange of QQ mini-programs: WeChat's, on another host. Their data is encrypted and signed by the same rules.
 * Throws a `TypeError` for wrong options.
 * Source: https://q.qq.com/wiki/develop/miniprogram/server/open_port/port_login.html
 *
 * @example
 * createSessions({ apps: [{ appid: '…', secret: '…', exchange: qqExchange() }], store })
 */
export function qqExchange(options: ExchangeOptions = {}): CodeExchange {
  return code2Session(apiAt('https://api.q.qq.com', 'qqExchange', options))
}

/**
 * The exchange of Douyin mini-programs, version 2: the `code` of `tt.login`, not its `anonymousCode`.
 * Throws a `TypeError` for wrong options.
 * Source: https://developer.open-douyin.com/docs/resource/zh-CN/mini-app/develop/server/log-in/code-2-session
 *
 * @example
 * createSessions({ apps: [{ appid: 'tt…', secret: '…', exchange: douyinExchange() }], store })
 */
export function douyinExchange(options: ExchangeOptions = {}): CodeExchange {
  const api = apiAt('https://developer.toutiao.com', 'douyinExchange', options, DOUYIN)
  return async ({ appid, secret }, code, signal) => {
    const body = { appid, secret, code }
    const { data } = await api.call({ path: '/api/apps/v2/jscode2session', body, signal }, DOUYIN_MEANINGS)
    if (!isJsonObject(data)) throw invalidAnswer('an answer without data')
    return identityIn(data)
  }
}

function apiAt(publicAddress: string, where: string, options: ExchangeOptions, dialect?: Dialect): WechatApi {
  checkOptionNames<ExchangeOptions>(where, options, { baseUrl: true, agent: true })
  const baseUrl = httpAddress(`${where}: baseUrl`, options.baseUrl ?? publicAddress)
  const transport = createTransport(baseUrl, agentOption(`${where}: agent`, options.agent, baseUrl))
  return createWechatApi({ transport, ...(dialect && { dialect }) })
}
