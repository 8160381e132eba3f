import type { KeyObject } from 'node:crypto'

/** The signatures of a service token, by their names in RFC 7518 and RFC 8037. */
export type ServiceTokenAlgorithm = 'ES256' | 'EdDSA' | 'RS256' | 'HS256'

export const ALGORITHMS: readonly ServiceTokenAlgorithm[] = ['ES256', 'EdDSA', 'RS256', 'HS256']

/** Those whose verifiers cannot sign. */
export const ASYMMETRIC: readonly ServiceTokenAlgorithm[] = ['ES256', 'EdDSA', 'RS256']

const LEAST_RSA_BITS = 2048
const LEAST_SECRET_BYTES = 32

/**
 * Returns the one algorithm that a key is good for; undefined for other kinds and for keys that are too
 * short. One key, one algorithm: this is what keeps a public key from being taken for an HMAC secret.
 */
export function algorithmOf(key: KeyObject): ServiceTokenAlgorithm | undefined {
  if (key.type === 'secret') return (key.symmetricKeySize ?? 0) >= LEAST_SECRET_BYTES ? 'HS256' : undefined
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec') return namedCurve === 'prime256v1' ? 'ES256' : undefined
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (key.asymmetricKeyType === 'rsa') return modulusLength >= LEAST_RSA_BITS ? 'RS256' : undefined
  return undefined
}
