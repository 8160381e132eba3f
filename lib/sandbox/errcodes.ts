import { type Answer, jsonAnswer } from './answer.js'
import { newRid } from './identifiers.js'

const ERRMSGS: Readonly<Record<number, string>> = {
  [-1]: 'system error',
  40002: 'invalid grant_type',
  40013: 'invalid appid',
  40029: 'invalid code',
  40125: 'invalid appsecret',
  40163: 'code been used',
  40164: 'invalid ip 127.0.0.1, not in whitelist',
  40226: 'code blocked',
  41002: 'appid missing',
  41004: 'appsecret missing',
  41008: 'missing code',
  45009: 'reach max api daily quota limit',
  45011: 'api minute-quota reach limit, retry next minute',
  48001: 'api unauthorized',
  50002: 'user limited',
}

/** An error as WeChat delivers it: HTTP 200, JSON in a `text/plain` body, a trace id at the end of errmsg. */
export function errcodeAnswer(errcode: number, errmsg: string = ERRMSGS[errcode] ?? 'error'): Answer {
  return plainAnswer({ errcode, errmsg: `${errmsg}, rid: ${newRid()}` })
}

/** A business answer as WeChat delivers it: JSON, declared as `text/plain`. */
export function plainAnswer(body: Record<string, unknown>): Answer {
  return { ...jsonAnswer(200, body), type: 'text/plain' }
}
