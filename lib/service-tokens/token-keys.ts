import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, KeyObject } from 'node:crypto'
import { isJsonObject } from '../json-object.js'
import { checkOptionNames, oneOf } from '../options.js'
import { ALGORITHMS, algorithmOf, type ServiceTokenAlgorithm } from './algorithms.js'
import type { TokenKey } from './signature.js'
import { thumbprint } from './thumbprint.js'

/**
 * A key of service tokens: a PEM, a JWK or a `KeyObject`, by itself or with its `kid` and `alg`. P-256 keys
 * sign with ES256, Ed25519 keys with EdDSA, RSA keys of 2048 bits or more with RS256. A secret for HS256 has
 * 32 bytes or more; as text or bytes it needs `alg: 'HS256'`, so that no PEM is ever taken for a secret.
 *
 * @example
 * const keys: ServiceTokenKey[] = [readFileSync('token-key.pem', 'utf8')]
 * const secrets: ServiceTokenKey[] = [{ key: process.env.TOKEN_SECRET, alg: 'HS256' }]
 */
export type ServiceTokenKey = string | JsonWebKey | KeyObject | ServiceTokenKeyInfo

/** A key with what is to be known about it. */
export interface ServiceTokenKeyInfo {
  readonly key: string | Uint8Array | JsonWebKey | KeyObject
  /**
   * Its name in tokens and the key set, 1 to 128 visible ASCII characters. Default: its RFC 7638 thumbprint.
   */
  readonly kid?: string | undefined
  /** Default: the one algorithm that the kind of key is good for; there is no other. */
  readonly alg?: ServiceTokenAlgorithm | undefined
}

const PEM = /-----BEGIN [A-Z ]+-----/
const PRIVATE_PEM = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----/
const KID = /^[\x21-\x7e]{1,128}$/

/**
 * Reads the option `keys`. Throws a `TypeError` that names the key by its index and shows nothing of it: for
 * what is not a key, for two with one `kid`, and for secrets beside key pairs.
 */
export function readTokenKeys(where: string, given: unknown): TokenKey[] {
  if (!Array.isArray(given) || given.length === 0) {
    throw new TypeError(`${where} must be an array of one or more keys, the one that signs first`)
  }
  const keys = given.map((one, index) => readTokenKey(`${where}[${index}]`, one))
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) {
    throw new TypeError(`${where} must not have the same key or kid twice`)
  }
  if (new Set(keys.map(({ alg }) => alg === 'HS256')).size > 1) {
    throw new TypeError(
      `${where} must be secrets or key pairs, not both: whoever verifies HS256 can sign, too`,
    )
  }
  return keys
}

function readTokenKey(where: string, given: unknown): TokenKey {
  const info = isKeyInfo(given) ? given : ({ key: given } as ServiceTokenKeyInfo)
  checkOptionNames<ServiceTokenKeyInfo>(where, info, { key: true, kid: true, alg: true })
  const inside: JsonWebKey = isJwk(info.key) ? info.key : {}
  const { alg = inside.alg, kid = inside.kid } = info
  const key = keyObjectFrom(where, info.key, alg)
  const own = algorithmOf(key)
  if (!own) {
    throw new TypeError(
      `${where} must be a P-256, Ed25519 or RSA key (2048 bits or more), or a secret of 32 bytes or more`,
    )
  }
  if (alg !== undefined && oneOf(`${where}.alg`, alg, ALGORITHMS) !== own) {
    throw new TypeError(`${where}.alg does not fit: this kind of key is for ${own}`)
  }
  if (inside.use !== undefined && inside.use !== 'sig') {
    throw new TypeError(`${where} must be a key for signatures, with use "sig"`)
  }
  if (kid !== undefined && !(typeof kid === 'string' && KID.test(kid))) {
    throw new TypeError(`${where}.kid must be 1 to 128 visible ASCII characters`)
  }
  return { key, alg: own, kid: kid ?? thumbprint(key) }
}

function isKeyInfo(given: unknown): given is ServiceTokenKeyInfo {
  return isJsonObject(given) && !(given instanceof KeyObject) && given.kty === undefined
}

function isJwk(key: unknown): key is JsonWebKey {
  return isJsonObject(key) && !(key instanceof KeyObject) && typeof key.kty === 'string'
}

function keyObjectFrom(where: string, key: unknown, alg: unknown): KeyObject {
  try {
    if (key instanceof KeyObject) return key
    if (isJwk(key)) return keyObjectOfJwk(key)
    if (alg === 'HS256' && key instanceof Uint8Array) return createSecretKey(key)
    if (alg === 'HS256' && typeof key === 'string' && !PEM.test(key)) return createSecretKey(key, 'utf8')
    // Of a private key in a PEM, createPublicKey would make the public one.
    if (typeof key === 'string') return PRIVATE_PEM.test(key) ? createPrivateKey(key) : createPublicKey(key)
  } catch {
    // What OpenSSL says does not help, and may quote the key.
  }
  throw new TypeError(
    `${where} must be a PEM, a JWK or a KeyObject, without a passphrase; text or bytes with alg HS256 are a secret`,
  )
}

function keyObjectOfJwk(key: JsonWebKey): KeyObject {
  if (key.kty === 'oct') return createSecretKey(Buffer.from(key.k ?? '', 'base64url'))
  return key.d === undefined
    ? createPublicKey({ key, format: 'jwk' })
    : createPrivateKey({ key, format: 'jwk' })
}
