import { type AnswerFields, isFields, isText, readAnswer } from './answer.js'
import { PHONE_MEANINGS } from './errcodes.js'
import { withRetries } from './retries.js'
import { invalidAnswer, type WechatTransport } from './transport.js'

/** A user's phone number: `phone_info` of WeChat. */
export interface PhoneInfo {
  /** With its country code in front if it is a foreign one. */
  readonly phoneNumber: string
  /** Without country code. */
  readonly purePhoneNumber: string
  /** Such as `86`; always a text, though WeChat has sent numbers. */
  readonly countryCode: string
  /** When (in seconds since 1970) and for which app WeChat made it. */
  readonly watermark: { readonly timestamp: number; readonly appid: string }
}

/** The code of a phone number button, and whose it has to be. */
export interface PhoneCode {
  readonly code: string
  readonly openid: string | undefined
}

/**
 * Exchanges the code of a phone number button. With an openid WeChat checks that the code is of that user.
 * Throws `ERR_PHONE_CODE_INVALID`, `ERR_ACCESS_TOKEN_UNAVAILABLE`, `ERR_WECHAT_…`.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-info/phone-number/getPhoneNumber.html
 */
export function getPhoneNumber(transport: WechatTransport, timeoutMs: number) {
  return ({ code, openid }: PhoneCode, accessToken: string): Promise<PhoneInfo> => {
    const signal = AbortSignal.timeout(timeoutMs)
    const request = {
      path: '/wxa/business/getuserphonenumber',
      query: { access_token: accessToken },
      body: { code, ...(openid !== undefined && { openid }) },
      signal,
    }
    return withRetries(signal, async () => {
      const { phone_info: info } = readAnswer(await transport.send(request), PHONE_MEANINGS)
      if (!isFields(info)) throw invalidAnswer('an answer without phone_info')
      const phoneInfo = phoneInfoIn(info)
      if (!phoneInfo) throw invalidAnswer(`a phone_info whose ${oddFieldIn(info)} is missing or odd`)
      return phoneInfo
    })
  }
}

/** The phone number in `phone_info` or in decrypted data; undefined when it is none. */
export function phoneInfoIn(fields: AnswerFields): PhoneInfo | undefined {
  if (oddFieldIn(fields) !== undefined) return undefined
  const { phoneNumber, purePhoneNumber, countryCode, watermark } = fields as unknown as PhoneInfo
  const { timestamp, appid } = watermark
  return { phoneNumber, purePhoneNumber, countryCode: String(countryCode), watermark: { timestamp, appid } }
}

/** The name of the first field that is not as it has to be. */
function oddFieldIn({
  phoneNumber,
  purePhoneNumber,
  countryCode,
  watermark,
}: AnswerFields): string | undefined {
  if (!isText(phoneNumber)) return 'phoneNumber'
  if (!isText(purePhoneNumber)) return 'purePhoneNumber'
  if (!isText(countryCode) && typeof countryCode !== 'number') return 'countryCode'
  if (!isFields(watermark)) return 'watermark'
  if (typeof watermark.timestamp !== 'number') return 'watermark.timestamp'
  return isText(watermark.appid) ? undefined : 'watermark.appid'
}
