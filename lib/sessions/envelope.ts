import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { RandomPool } from '../random-pool.js'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

const nonces = new RandomPool()

/** How the plaintext is a text: as UTF-8, or the bytes of what is base64. */
export type TextForm = 'utf8' | 'base64'

/**
 * Derives an AES-256 key from a secret by HKDF-SHA256 (RFC 5869), another one for each purpose. A key is as
 * long as a block, so that it takes two HMACs: less than half the time of `hkdfSync`.
 */
export function deriveKey(secret: string | Buffer, salt: string, purpose: string): Buffer {
  const extracted = createHmac('sha256', salt).update(secret).digest()
  return createHmac('sha256', extracted).update(`weapp-session/1/${purpose}\x01`).digest()
}

/** Encrypts a text with AES-256-GCM, bound to `context`. Returns nonce, ciphertext and tag as base64url. */
export function seal(key: Buffer, text: string, context: string, form: TextForm = 'utf8'): string {
  const nonce = nonces.take(NONCE_BYTES)
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(context))
  const parts = [nonce, cipher.update(text, form), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat(parts).toString('base64url')
}

/** Decrypts what {@link seal} returned; undefined when key, context or a single bit differs. */
export function open(
  key: Buffer,
  sealed: string,
  context: string,
  form: TextForm = 'utf8',
): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined
  const [nonce, ciphertext] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES, -TAG_BYTES)]
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    return decipher.update(ciphertext, undefined, form) + decipher.final(form)
  } catch {
    return undefined
  }
}
