import type { JsonObject } from '../json-object.js'
import { refusedToken } from './refusals.js'

/** A service token that has been checked, a JWT (RFC 7519). Frozen. */
export interface ServiceToken {
  /**
   * The pseudonym of the user: 20 characters, the same as long as the first of `keys` of `createSessions`.
   */
  readonly sub: string
  /** The id of this token. */
  readonly jti: string
  /** `iat`. */
  readonly issuedAt: Date
  /** `exp`, without the clock tolerance. */
  readonly expiresAt: Date
  /** All claims as they were signed, `iss` and `aud` among them. */
  readonly claims: JsonObject
}

/** What a service expects. */
export interface ExpectedClaims {
  readonly issuer: string
  readonly audience: string
  readonly clockToleranceSeconds: number
}

/** Names that `claims` must not use: those of RFC 7519, section 4.1, and those that options of ours fill. */
export const OWN_CLAIMS: readonly string[] = [
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...['openid', 'appid', 'unionid'],
]

/** Checks the claims of a token whose signature is good. Throws `ERR_SERVICE_TOKEN_INVALID`. */
export function checkClaims(claims: JsonObject, expected: ExpectedClaims, nowMs: number): ServiceToken {
  const { iss, aud, sub, jti, openid } = claims
  if (iss !== expected.issuer) throw refusedToken('it has another issuer')
  // A list would say that it is good elsewhere, too.
  if (aud !== expected.audience) throw refusedToken('it is for another audience')
  if (!isText(sub) || !isText(jti)) throw refusedToken('it has no sub or jti')
  if (openid !== undefined && !isText(openid)) throw refusedToken('its openid is not a string')

  const [now, tolerance] = [nowMs / 1000, expected.clockToleranceSeconds]
  const [iat, exp, nbf] = [momentOf(claims.iat), momentOf(claims.exp), momentOf(claims.nbf ?? claims.iat)]
  if (now >= exp + tolerance) throw refusedToken('it has expired')
  if (iat > now + tolerance || nbf > now + tolerance) throw refusedToken('it is not valid yet')
  return Object.freeze({
    sub,
    jti,
    issuedAt: new Date(iat * 1000),
    expiresAt: new Date(exp * 1000),
    claims: frozenDeeply(claims),
  })
}

function momentOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
  throw refusedToken('one of its times is not a number')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function frozenDeeply(value: JsonObject): JsonObject {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) frozenDeeply(inner as JsonObject)
  }
  return Object.freeze(value)
}
