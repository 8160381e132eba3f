import { type KeyObject, sign, verify } from 'node:crypto'

/**
 * Returns a compact JWS signed with Ed25519 (RFC 7515, 7.1; RFC 8037, 3.1): `input` is header and payload in
 * base64url with the dot between. jsonwebtoken has no EdDSA.
 */
export function signEddsa(input: string, key: KeyObject): string {
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
}

/** Whether the signature of a compact JWS is that of an Ed25519 key. */
export function isSignedWithEddsa(token: string, key: KeyObject): boolean {
  const end = token.lastIndexOf('.')
  return verify(null, Buffer.from(token.slice(0, end)), key, Buffer.from(token.slice(end + 1), 'base64url'))
}
