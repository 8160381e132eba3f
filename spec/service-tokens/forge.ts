import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A key pair of a kind that service tokens may be signed with. */
export function keyPair(kind: 'ES256' | 'EdDSA' | 'RS256' = 'ES256'): KeyObject {
  if (kind === 'EdDSA') return generateKeyPairSync('ed25519').privateKey
  if (kind === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

export function pemOf(key: KeyObject): string {
  return key.export({ format: 'pem', type: key.type === 'public' ? 'spki' : 'pkcs8' }) as string
}

export function privateKeyFrom(pem: string): KeyObject {
  return createPrivateKey(pem)
}

/** A part of a JWT; a text is taken as it is, so that it can be what `JSON.stringify` would never write. */
export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A JWT made by hand, with any header and claims, signed with ECDSA or with an HMAC. */
export function forged(header: unknown, claims: unknown, key?: KeyObject | string | Buffer): string {
  const input = `${part(header)}.${part(claims)}`
  if (key === undefined) return `${input}.`
  if (typeof key === 'string' || Buffer.isBuffer(key)) {
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
  }
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
