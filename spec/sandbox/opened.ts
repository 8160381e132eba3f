import { createDecipheriv, createHmac } from 'node:crypto'

/** What encrypted data says, opened with a session_key. */
export function opened(
  { encryptedData = '', iv = '' }: { encryptedData?: string; iv?: string },
  sessionKey: unknown,
): Record<string, unknown> {
  const key = Buffer.from(String(sessionKey), 'base64')
  const decipher = createDecipheriv('aes-128-cbc', key, Buffer.from(iv, 'base64'))
  return JSON.parse(decipher.update(encryptedData, 'base64', 'utf8') + decipher.final('utf8'))
}

/** The signature of an empty body, which proves that an app's server knows a session_key. */
export function proofOf(sessionKey: unknown): string {
  return createHmac('sha256', String(sessionKey)).digest('hex')
}
