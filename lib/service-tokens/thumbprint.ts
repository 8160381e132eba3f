import { hash, type JsonWebKey, type KeyObject } from 'node:crypto'

/** The members that identify a key, in the order of RFC 7638, section 3.2. */
const MEMBERS: Readonly<Record<string, readonly (keyof JsonWebKey)[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
  oct: ['k', 'kty'],
}

/** Returns the SHA-256 thumbprint of a key, in base64url: the same for both halves of a pair (RFC 7638). */
export function thumbprint(key: KeyObject): string {
  const jwk = key.export({ format: 'jwk' })
  const members = (MEMBERS[jwk.kty ?? ''] ?? []).map((name) => [name, jwk[name]])
  return hash('sha256', JSON.stringify(Object.fromEntries(members)), 'base64url')
}
