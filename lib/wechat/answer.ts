import { isJsonObject, type JsonObject } from '../json-object.js'
import { errorFromErrcode, type Meanings } from './errcodes.js'
import { parseLenientJson } from './lenient-json.js'
import { invalidAnswer } from './transport.js'

const NUMBER = /^-?\d{1,15}$/

/** How a platform reports a failure. */
export interface Dialect {
  /** Its name, for the log. */
  readonly platform: string
  /** The name of the field that holds the errcode. */
  readonly errcode: string
  /** The name of the field that holds its text. */
  readonly errmsg: string
}

export const WECHAT_DIALECT: Dialect = { platform: 'WeChat', errcode: 'errcode', errmsg: 'errmsg' }

/**
 * Returns the fields of an answer that reports no failure: its errcode is absent or 0. Throws what the
 * errcode means, by `meanings` before those that all APIs share; `ERR_WECHAT_ANSWER_INVALID` for what is not
 * a JSON object. The fields are not checked here: some have come and gone without notice, and numbers have
 * come as strings.
 */
export function readAnswer(body: string, meanings: Meanings, dialect: Dialect = WECHAT_DIALECT): JsonObject {
  const answer = parseAnswer(body)
  const { [dialect.errcode]: given, [dialect.errmsg]: errmsg } = answer
  const errcode = given === undefined ? 0 : asNumber(given)
  if (errcode === 0) return answer
  if (errcode === undefined) throw invalidAnswer(`an ${dialect.errcode} that is not a number`)
  throw errorFromErrcode(errcode, errmsg, meanings, dialect.platform)
}

/**
 * Returns the fields of an answer, whatever it reports. WeChat labels it text/plain, so the content type is
 * ignored.
 */
export function parseAnswer(body: string): JsonObject {
  let answer: unknown
  try {
    answer = parseLenientJson(body, 'everywhere')
  } catch {
    throw invalidAnswer('a response that is not JSON')
  }
  if (!isJsonObject(answer)) throw invalidAnswer('a response that is not an object')
  return answer
}

/** Returns a number, also one sent as a string; undefined for anything else. */
export function asNumber(value: unknown): number | undefined {
  if (typeof value === 'string' && NUMBER.test(value)) return Number(value)
  return typeof value === 'number' ? value : undefined
}

/** Whether a value is a non-empty string. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
