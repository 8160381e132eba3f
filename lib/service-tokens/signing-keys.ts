import { createPublicKey, type JsonWebKey } from 'node:crypto'
import type { TokenKey } from './signature.js'
import { readTokenKeys } from './token-keys.js'

/** The keys of who issues tokens. */
export interface SigningKeys {
  /** The first of `keys`. */
  readonly signing: TokenKey
  /** The public keys as a JWK set (RFC 7517); undefined for secrets. */
  readonly jwks: { readonly keys: readonly JsonWebKey[] } | undefined
}

/** Throws a `TypeError` as {@link readTokenKeys} does, and where the first key cannot sign. */
export function readSigningKeys(where: string, given: unknown): SigningKeys {
  const keys = readTokenKeys(where, given)
  const [signing] = keys
  if (!signing || signing.key.type === 'public') {
    throw new TypeError(`${where}[0] must be a private key or a secret: the first of the keys signs`)
  }
  return { signing, jwks: signing.alg === 'HS256' ? undefined : { keys: keys.map(publicJwk) } }
}

/** Names the public members one by one: there is no other way for a private one to slip in. */
function publicJwk({ kid, alg, key }: TokenKey): JsonWebKey {
  const { kty, crv, x, y, n, e } = (key.type === 'private' ? createPublicKey(key) : key).export({
    format: 'jwk',
  })
  return JSON.parse(JSON.stringify({ kty, kid, alg, use: 'sig', crv, x, y, n, e })) as JsonWebKey
}
