import { createCipheriv, createHmac, hash, randomBytes } from 'node:crypto'

/** Data that only the holder of the session_key can read. */
export interface EncryptedData {
  /** AES-128-CBC under the session_key, base64. */
  encryptedData: string
  /** Initialisation vector of encryptedData, base64. */
  iv: string
}

export function encryptFields(fields: object, sessionKey: string): EncryptedData {
  const iv = randomBytes(16).toString('base64')
  return { encryptedData: encryptOpenData(JSON.stringify(fields), sessionKey, iv), iv }
}

/** Encrypts as WeChat does: AES-128-CBC with PKCS#7 padding, everything in base64. */
export function encryptOpenData(plaintext: string, sessionKey: string, iv: string): string {
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(sessionKey, 'base64'), Buffer.from(iv, 'base64'))
  return Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]).toString('base64')
}

/** Signs as WeChat does: the session_key goes in as text, not decoded. */
export function signRawData(rawData: string, sessionKey: string): string {
  return hash('sha1', rawData + sessionKey)
}

/** Signs a request body as servers have to: here too the session_key goes in as text. */
export function signBody(body: string, sessionKey: string): string {
  return createHmac('sha256', sessionKey).update(body).digest('hex')
}
