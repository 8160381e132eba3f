import type { KeyObject } from 'node:crypto'
import type { ServiceTokenAlgorithm } from './algorithms.js'
import { isSignedWithEddsa, signEddsa } from './eddsa.js'
import loadJsonwebtoken from './jsonwebtoken.cjs'

/** A key with all that has to be known about it. */
export interface TokenKey {
  readonly kid: string
  readonly alg: ServiceTokenAlgorithm
  readonly key: KeyObject
}

/** The header names the kind of JWT, so that none is taken for one of another kind (RFC 8725, 3.11). */
export const TOKEN_TYPE = 'weapp-session+jwt'

let library: ReturnType<typeof loadJsonwebtoken> | undefined

/** Loads what these algorithms need, so that no request waits for it. */
export function prepareSignatures(algorithms: readonly ServiceTokenAlgorithm[]): void {
  if (algorithms.some((alg) => alg !== 'EdDSA')) jwt()
}

/** Returns a JWT with these claims. */
export function signed(claims: object, { kid, alg, key }: TokenKey): string {
  const header = { alg, typ: TOKEN_TYPE, kid }
  if (alg === 'EdDSA') return signEddsa(`${encoded(header)}.${encoded(claims)}`, key)
  return jwt().sign(claims, key, { algorithm: alg, header })
}

/**
 * Whether the signature is that of a key. Looks at no claim: {@link checkClaims} does, for all algorithms.
 */
export function isSignedBy(token: string, { alg, key }: Omit<TokenKey, 'kid'>): boolean {
  if (alg === 'EdDSA') return isSignedWithEddsa(token, key)
  try {
    jwt().verify(token, key, { algorithms: [alg], ignoreExpiration: true, ignoreNotBefore: true })
    return true
  } catch {
    return false
  }
}

function jwt() {
  library ??= loadJsonwebtoken()
  return library
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
