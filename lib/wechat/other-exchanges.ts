import type { Agent } from 'node:http'
import type { CodeExchange } from '../exchange.js'
import { checkOptionNames, httpAddress } from '../options.js'
import { asNumber, isFields, parseAnswer } from './answer.js'
import { code2Session, identityIn } from './code2session.js'
import { errorFromErrcode, type Meanings, misconfigured } from './errcodes.js'
import { withRetries } from './retries.js'
import { agentOption, createTransport, invalidAnswer, type WechatTransport } from './transport.js'

/** Options of {@link qqExchange} and {@link douyinExchange}. */
export interface ExchangeOptions {
  /** Where the platform's API is. Default: its public address; a sandbox's `url` in tests. */
  baseUrl?: string
  /** The Agent by which it is reached, such as that of a forward proxy. Default: connections of its own. */
  agent?: Agent
}

const NEW_CODE = 'Douyin does not accept this code: it is used or expired. Call tt.login for a new one.'

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
  return code2Session(transportFor('qqExchange', options, 'https://api.q.qq.com'))
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
  const transport = transportFor('douyinExchange', options, 'https://developer.toutiao.com')
  return ({ appid, secret }, code, signal) =>
    withRetries(signal, async () => {
      const body = { appid, secret, code }
      const answer = parseAnswer(await transport.send({ path: '/api/apps/v2/jscode2session', body, signal }))
      const { err_no: errNo, err_tips: errTips, data } = answer
      const errcode = errNo === undefined ? 0 : asNumber(errNo)
      if (errcode === undefined) throw invalidAnswer('an err_no that is not a number')
      if (errcode !== 0) throw errorFromErrcode(errcode, errTips, DOUYIN_MEANINGS, 'Douyin')
      if (!isFields(data)) throw invalidAnswer('an answer without data')
      return identityIn(data)
    })
}

function transportFor(where: string, options: ExchangeOptions, publicAddress: string): WechatTransport {
  checkOptionNames<ExchangeOptions>(where, options, { baseUrl: true, agent: true })
  const baseUrl = httpAddress(`${where}: baseUrl`, options.baseUrl ?? publicAddress)
  return createTransport(baseUrl, agentOption(`${where}: agent`, options.agent, baseUrl))
}
