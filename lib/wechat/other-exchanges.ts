import type { Agent } from 'node:http'
import type { CodeExchange } from '../exchange.js'
import { isJsonObject } from '../json-object.js'
import { checkOptionNames, httpAddress } from '../options.js'
import { Secret } from '../secret.js'
import { code2Session, identityIn } from './code2session.js'
import { type Meaning, type Meanings, misconfigured } from './errcodes.js'
import type { Dialect } from './response.js'
import { agentOption, createTransport, invalidResponse } from './transport.js'
import { createWechatApi, type WechatApi } from './wechat-api.js'

/** Options of {@link qqExchange} and {@link douyinExchange}. */
export interface ExchangeOptions {
  /** The base URL of the platform's API. Default: its public one; a sandbox's `url` in tests. */
  baseUrl?: string
  /** The Agent to connect through, such as that of a forward proxy. Default: connections of its own. */
  agent?: Agent
}

const CODE_INVALID: Meaning = {
  code: 'ERR_CODE_INVALID',
  detail: 'Douyin rejected this code: it has been used or has expired. Call tt.login for a new one.',
}

const DOUYIN: Dialect = { platform: 'Douyin', errcode: 'err_no', errmsg: 'err_tips' }

/** Where Douyin's errcodes differ from WeChat's. */
const DOUYIN_MEANINGS: Meanings = {
  40014: misconfigured('a parameter is missing or malformed'),
  40015: misconfigured('the appid is wrong'),
  40017: misconfigured('the secret is wrong'),
  40018: CODE_INVALID,
  40019: CODE_INVALID,
}

/**
 * Returns the exchange of QQ mini-programs: WeChat's, on another host. Their data is encrypted and signed by
 * the same rules. Throws a `TypeError` for wrong options.
 * Source: https://q.qq.com/wiki/develop/miniprogram/server/open_port/port_login.html
 *
 * @example
 * createSessions({ apps: [{ appid: '…', secret: '…', exchange: qqExchange() }], store })
 */
export function qqExchange(options: ExchangeOptions = {}): CodeExchange {
  return code2Session(apiAt('https://api.q.qq.com', 'qqExchange', options))
}

/**
 * Returns the exchange of Douyin mini-programs, version 2: for the `code` from `tt.login`, not its
 * `anonymousCode`. Throws a `TypeError` for wrong options.
 * Source: https://developer.open-douyin.com/docs/resource/zh-CN/mini-app/develop/server/log-in/code-2-session
 *
 * @example
 * createSessions({ apps: [{ appid: 'tt…', secret: '…', exchange: douyinExchange() }], store })
 */
export function douyinExchange(options: ExchangeOptions = {}): CodeExchange {
  const api = apiAt('https://developer.toutiao.com', 'douyinExchange', options, DOUYIN)
  return async ({ appid, secret }, code, signal) => {
    const body = { appid, secret: new Secret(secret), code: new Secret(code) }
    const { data } = await api.call(
      { appid, path: '/api/apps/v2/jscode2session', body, signal },
      DOUYIN_MEANINGS,
    )
    if (!isJsonObject(data)) throw invalidResponse('a response without data')
    return identityIn(data)
  }
}

function apiAt(publicAddress: string, where: string, options: ExchangeOptions, dialect?: Dialect): WechatApi {
  checkOptionNames<ExchangeOptions>(where, options, { baseUrl: true, agent: true })
  const baseUrl = httpAddress(`${where}: baseUrl`, options.baseUrl ?? publicAddress)
  const transport = createTransport(baseUrl, agentOption(`${where}: agent`, options.agent, baseUrl))
  return createWechatApi({ transport, ...(dialect && { dialect }) })
}
