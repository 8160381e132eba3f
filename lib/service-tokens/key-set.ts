import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../json-object.js'
import { parseStrictObject } from '../strict-json.js'
import { algorithmOf } from './algorithms.js'
import type { TokenKey } from './signature.js'

const MOST_KEYS = 100
const KEY_TYPES: readonly unknown[] = ['EC', 'OKP', 'RSA']

/** Why there is no key set, in words that may be logged. */
export class KeySetFailure extends Error {}

/** The keys of an issuer by their `kid`. */
export type KeySet = ReadonlyMap<string, TokenKey>

/**
 * Reads a JWK set (RFC 7517). Keys that are not for these signatures are passed over, as its section 5 asks,
 * and so are symmetric and private ones, which nobody should have published. Throws a {@link KeySetFailure}
 * for what is not a JWK set, and for two keys of one name.
 */
export function readKeySet(text: string): KeySet {
  const listed = parseStrictObject(text)?.keys
  if (!Array.isArray(listed) || listed.length > MOST_KEYS) throw new KeySetFailure('it is not a JWK set')
  const keys = new Map<string, TokenKey>()
  for (const one of listed) {
    const key = isJsonObject(one) ? publicKeyIn(one) : undefined
    if (!key) continue
    if (keys.has(key.kid)) throw new KeySetFailure('two of its keys have the same kid')
    keys.set(key.kid, key)
  }
  return keys
}

function publicKeyIn(jwk: JsonObject): TokenKey | undefined {
  const { kid, kty, use = 'sig', d, k } = jwk
  if (typeof kid !== 'string' || !KEY_TYPES.includes(kty) || use !== 'sig') return undefined
  if (d !== undefined || k !== undefined) return undefined
  try {
    const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const alg = algorithmOf(key)
    return alg !== undefined && [undefined, alg].includes(jwk.alg as typeof alg)
      ? { kid, alg, key }
      : undefined
  } catch {
    return undefined
  }
}
