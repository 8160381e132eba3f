import { isJsonObject, type JsonObject } from '../json-object.js'
import { Secret } from '../secret.js'
import type { AppAccess } from './access-token.js'
import { PHONE_MEANINGS } from './errcodes.js'
import { asNumber, isText } from './response.js'
import { invalidResponse } from './transport.js'
import type { WechatApi } from './wechat-api.js'

/** A user's phone number: WeChat's `phone_info`. */
export interface PhoneInfo {
  /** With the country code in front if it is foreign. */
  readonly phoneNumber: string
  /** Without country code. */
  readonly purePhoneNumber: string
  /** Such as `86`; always a string, though WeChat has sent numbers. */
  readonly countryCode: string
  /** When (in seconds since 1970) and for which app WeChat issued it, where it says so. */
  readonly watermark?: { readonly timestamp: number; readonly appid: string }
}

const CHINA = '86'

export interface PhoneCode {
  readonly code: string
  readonly openid: string | undefined
}

/**
 * Exchanges the code from a phone number button. Given an openid, WeChat checks that the code belongs to it.
 * Throws `ERR_PHONE_CODE_INVALID`, `ERR_ACCESS_TOKEN_UNAVAILABLE`, `ERR_WECHAT_…`.
 * Source:
 * https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/user-info/phone-number/getPhoneNumber.html
 */
export function getPhoneNumber(api: WechatApi) {
  return async ({ code, openid }: PhoneCode, { appid, accessToken }: AppAccess): Promise<PhoneInfo> => {
    const request = {
      appid,
      path: '/wxa/business/getuserphonenumber',
      query: { access_token: accessToken },
      body: { code: new Secret(code), ...(openid !== undefined && { openid }) },
    }
    const { phone_info: info } = await api.call(request, PHONE_MEANINGS)
    if (!isJsonObject(info)) throw invalidResponse('a response without phone_info')
    const phoneInfo = phoneInfoIn(info)
    if (!phoneInfo) throw invalidResponse('a phone_info with a missing or invalid phoneNumber')
    return phoneInfo
  }
}

/**
 * Returns the phone number in `phone_info` or in decrypted data, or undefined. What is missing is derived
 * from the rest: a number with nothing in front is Chinese.
 */
export function phoneInfoIn(fields: JsonObject): PhoneInfo | undefined {
  const [whole, pure, code] = [fields.phoneNumber, fields.purePhoneNumber, fields.countryCode].map(asText)
  const phoneNumber = whole ?? (pure && withCode(pure, code))
  if (phoneNumber === undefined) return undefined
  const countryCode = code ?? codeBefore(pure ?? phoneNumber, phoneNumber)
  const watermark = watermarkIn(fields.watermark)
  return {
    phoneNumber,
    purePhoneNumber: pure ?? phoneNumber.replace(`+${countryCode}`, ''),
    countryCode,
    ...(watermark && { watermark }),
  }
}

function asText(value: unknown): string | undefined {
  return isText(value) || typeof value === 'number' ? String(value) : undefined
}

function withCode(pure: string, code = CHINA): string {
  return code === CHINA ? pure : `+${code}${pure}`
}

function codeBefore(pure: string, phoneNumber: string): string {
  if (pure === phoneNumber) return phoneNumber.startsWith('+') ? '' : CHINA
  return phoneNumber.endsWith(pure) ? phoneNumber.slice(0, -pure.length).replace('+', '') : ''
}

function watermarkIn(watermark: unknown): PhoneInfo['watermark'] {
  if (!isJsonObject(watermark) || !isText(watermark.appid)) return undefined
  const timestamp = asNumber(watermark.timestamp)
  return timestamp === undefined ? undefined : { timestamp, appid: watermark.appid }
}
