import { createHmac } from 'node:crypto'

/** HKDF-SHA256 of RFC 5869 by hand, from HMAC alone. */
export function hkdf(secret: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  const extracted = createHmac('sha256', salt).update(secret).digest()
  const blocks: Buffer[] = []
  for (let n = 1; blocks.length * 32 < length; n += 1) {
    const before = blocks.at(-1) ?? Buffer.alloc(0)
    blocks.push(createHmac('sha256', extracted).update(before).update(info).update(Buffer.of(n)).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}
