import { isUtf8 } from 'node:buffer'
import { createDecipheriv, hash, timingSafeEqual } from 'node:crypto'
import { WeappError } from '../errors.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import { namesTwice } from '../strict-json.js'
import { damageOf, fieldsIn } from './damage.js'
import { type DataShape, hasShape, isWholeNumber } from './data-shape.js'

const BLOCK_BYTES = 16
const MOST_ENCRYPTED_LENGTH = 48 * 1024
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const SIGNATURE = /^[0-9a-f]{40}$/
/** The watermark in a text that may not be JSON as a whole. WeChat escapes quotes in a nickname. */
const WATERMARK_TEXT = /^\{(?=").*"watermark"\s*:\s*(\{[^{}]*\})/s
const WATERMARK: DataShape = { appid: (value) => typeof value === 'string', timestamp: isWholeNumber }

/** `encryptedData` and `iv` as the mini-program received them, both base64. */
export interface EncryptedData {
  readonly encryptedData: string
  readonly iv?: string | undefined
  /** A fresh code from `wx.login`: its session_key is tried first and stored in the session. */
  readonly code?: string | undefined
}

/** `rawData` and `signature` exactly as the mini-program received them. */
export interface SignedData {
  readonly rawData: string
  readonly signature: string
  /** A fresh code from `wx.login`: its session_key is tried first and stored in the session. */
  readonly code?: string | undefined
}

/** What WeChat encrypted: the fields of the API that was called, and a watermark. */
export interface OpenData {
  readonly watermark: { readonly appid: string; readonly timestamp: number }
  readonly [field: string]: unknown
}

/** Whose data it must be. */
export interface DataOwner {
  readonly appid: string
  readonly openid: string
  /** When WeChat may have created it at the earliest, in seconds since 1970. Default: at any time. */
  readonly notBefore?: number | undefined
}

export interface Ciphertext {
  readonly bytes: Buffer
  /** Undefined where the key itself is the iv. */
  readonly iv: Buffer | undefined
}

/** Checks the form of encrypted data and decodes it. Throws `ERR_BODY_TOO_LARGE` and `ERR_DATA_MALFORMED`. */
export function readCiphertext({
  encryptedData,
  iv: ivText,
  ivIsKey,
}: Omit<EncryptedData, 'code'> & { readonly ivIsKey?: boolean | undefined }): Ciphertext {
  const bytes = strictBase64('encryptedData', encryptedData)
  const iv = ivIsKey === true && ivText === undefined ? undefined : strictBase64('iv', ivText)
  const isWhole = bytes.length > 0 && bytes.length % BLOCK_BYTES === 0
  if (!isWhole) throw malformed('encryptedData is not a whole number of blocks')
  if (iv && iv.length !== BLOCK_BYTES) throw malformed(`iv must decode to ${BLOCK_BYTES} bytes`)
  return { bytes, iv }
}

/**
 * Decrypts with the first of `sessionKeys` that fits; returns undefined if none does, without telling why.
 *
 * CBC is not authenticated: a sender who holds data under the same key can cut and rejoin its blocks. Each
 * joint leaves 16 bytes that the sender cannot choose, so the text is decoded strictly, and the caller must
 * check the shape of the whole result, as `asKind` does.
 * Source: https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html
 */
export function decryptOpenData(
  data: Ciphertext,
  sessionKeys: readonly string[],
  owner: DataOwner,
): OpenData | undefined {
  for (const sessionKey of sessionKeys) {
    const openData = parseOpenData(decrypt(data, sessionKey), owner)
    if (openData) return openData
  }
  return undefined
}

/**
 * Whether a key decrypts data to a text that WeChat created for this app, and late enough. If
 * `decryptOpenData` still rejects it, the text is at fault, and no other key would help.
 */
export function isOpenedBy(data: Ciphertext, sessionKeys: readonly string[], owner: DataOwner): boolean {
  return sessionKeys.some((sessionKey) => {
    const text = decrypt(data, sessionKey)
    const [, watermark = ''] = WATERMARK_TEXT.exec(text) ?? []
    return isWatermarkFor(owner, fieldsIn(text, 'nickname')?.watermark ?? fieldsIn(watermark, 'nickname'))
  })
}

/**
 * Checks the form of signed data and returns the fields of `rawData`. Throws `ERR_BODY_TOO_LARGE` and
 * `ERR_DATA_MALFORMED`.
 */
export function checkSignedData(data: SignedData): JsonObject {
  if (typeof data.rawData !== 'string') throw malformed('rawData must be a string')
  if (data.rawData.length > MOST_ENCRYPTED_LENGTH) throw tooLarge('rawData')
  if (typeof data.signature !== 'string' || !SIGNATURE.test(data.signature)) {
    throw malformed('signature must be 40 lowercase hexadecimal digits')
  }
  const fields = fieldsIn(data.rawData, 'everywhere')
  if (!fields) throw malformed(`rawData is not a JSON object${damageOf(data.rawData)}`)
  return fields
}

/** Whether `signature` is `sha1(rawData + session_key)` for one of the keys, compared in constant time. */
export function isSignedBy(data: SignedData, sessionKeys: readonly string[]): boolean {
  const given = Buffer.from(data.signature, 'hex')
  return sessionKeys.some((sessionKey) =>
    timingSafeEqual(given, hash('sha1', data.rawData + sessionKey, 'buffer')),
  )
}

/** Returns an empty string for a key that does not fit. */
function decrypt({ bytes, iv }: Ciphertext, sessionKey: string): string {
  const key = Buffer.from(sessionKey, 'base64')
  try {
    const decipher = createDecipheriv('aes-128-cbc', key, iv ?? key)
    const text = Buffer.concat([decipher.update(bytes), decipher.final()])
    return isUtf8(text) ? text.toString() : ''
  } catch {
    return ''
  }
}

/** A wrong key passes the padding check once in 256 times; JSON and watermark reveal it. */
function parseOpenData(text: string, owner: DataOwner): OpenData | undefined {
  const value = fieldsIn(text, 'nickname')
  if (!value || namesTwice(text, value) || !isWatermarkFor(owner, value.watermark)) return undefined
  return value.openId === undefined || value.openId === owner.openid ? (value as OpenData) : undefined
}

function isWatermarkFor({ appid, notBefore = 0 }: DataOwner, watermark: unknown): boolean {
  if (!isJsonObject(watermark) || !hasShape(watermark, WATERMARK)) return false
  return watermark.appid === appid && Number(watermark.timestamp) >= notBefore
}

function strictBase64(name: string, text: unknown): Buffer {
  if (typeof text !== 'string') throw malformed(`${name} must be a base64 string`)
  if (text.length > MOST_ENCRYPTED_LENGTH) throw tooLarge(name)
  if (text.includes(' ') && BASE64.test(text.replaceAll(' ', '+'))) {
    throw malformed(
      `${name} has spaces where base64 has "+": send it in a JSON body, not in a form or a query string`,
    )
  }
  if (!BASE64.test(text)) throw malformed(`${name} is not base64${damageOf(text)}`)
  return Buffer.from(text, 'base64')
}

function tooLarge(name: string): WeappError {
  return new WeappError('ERR_BODY_TOO_LARGE', `${name} is longer than ${MOST_ENCRYPTED_LENGTH} characters.`)
}

function malformed(what: string): WeappError {
  return new WeappError('ERR_DATA_MALFORMED', `${what}.`)
}
