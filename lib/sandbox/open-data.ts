import { createCipheriv, hash } from 'node:crypto'

/** Encrypts as WeChat does: AES-128-CBC with PKCS#7 padding, all of key, iv and result in base64. */
export function encryptOpenData(plaintext: string, sessionKey: string, iv: string): string {
  const cipher = createCipheriv('aes-128-cbc', Buffer.from(sessionKey, 'base64'), Buffer.from(iv, 'base64'))
  return Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]).toString('base64')
}

/** Signs as WeChat does: the session_key goes in as text, not decoded. */
export function signRawData(rawData: string, sessionKey: string): string {
  return hash('sha1', rawData + sessionKey)
}
