import { newRid } from './identifiers.js'
import { jsonReply, type Reply } from './reply.js'

const ERRMSGS: Readonly<Record<number, string>> = {
  [-1]: 'system error',
  40001: 'invalid credential, access_token is invalid or not latest',
  40002: 'invalid grant_type',
  40013: 'invalid appid',
  40014: 'invalid access_token',
  40029: 'invalid code',
  40097: 'invalid args',
  40125: 'invalid appsecret',
  40163: 'code been used',
  40164: 'invalid ip 127.0.0.1, not in whitelist',
  40226: 'code blocked',
  41001: 'access_token missing',
  41002: 'appid missing',
  41004: 'appsecret missing',
  41008: 'missing code',
  42001: 'access_token expired',
  43001: 'require GET method',
  43002: 'require POST method',
  45009: 'reach max api daily quota limit',
  45011: 'api minute-quota reach limit, retry next minute',
  47001: 'data format error',
  48001: 'api unauthorized',
  50002: 'user limited',
  87007: 'session_key is not existed or expired',
  87008: 'invalid sig_method',
  87009: 'invalid signature',
}

/** An error as WeChat sends it: HTTP 200, JSON as `text/plain`, and a trace id at the end of errmsg. */
export function errcodeReply(errcode: number, errmsg?: string): Reply {
  return { ...jsonErrcodeReply(errcode, errmsg), type: 'text/plain' }
}

/** An error as the endpoints under `/cgi-bin/` and `/wxa/` send it: as `application/json`. */
export function jsonErrcodeReply(errcode: number, errmsg: string = ERRMSGS[errcode] ?? 'error'): Reply {
  return jsonReply(200, { errcode, errmsg: `${errmsg}, rid: ${newRid()}` })
}

export function plainTextReply(body: Record<string, unknown>): Reply {
  return { ...jsonReply(200, body), type: 'text/plain' }
}
