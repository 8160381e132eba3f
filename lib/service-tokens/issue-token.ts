import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.js'
import { unknownSession } from '../flows/authenticate.js'
import type { FailureLog } from '../flows/failure-log.js'
import { callHook, HOOK_TIMEOUT_MS } from '../flows/hooks.js'
import { isJsonObject, type JsonObject } from '../json-object.js'
import type { Session } from '../sessions/session.js'
import { OWN_CLAIMS } from './claims.js'
import { prepareSignatures, signed, type TokenKey } from './signature.js'

const JTI_BYTES = 18
/** With the longest signature and the other claims the token fits into the headers that proxies take. */
const MOST_CLAIMS_BYTES = 2048

/**
 * Returns further claims for a token, a plain JSON object of up to 2048 bytes, or undefined. It must not have
 * the claims of RFC 7519, nor `openid`, `appid` and `unionid`. Whoever holds the token can read them. To
 * refuse the token, throw a `WeappError`. Whatever else it throws, and taking more than 5 seconds, is
 * `ERR_HOOK_FAILED`, and there is no token.
 *
 * @example
 * const claims = ({ data }) => ({ role: data.role })
 */
export type ServiceTokenClaims = (session: Session) => object | undefined | Promise<object | undefined>

interface IssuerParts {
  readonly issuer: string
  readonly key: TokenKey
  readonly lifetimeSeconds: number
  readonly openid: boolean
  readonly unionid: boolean
  readonly claims: ServiceTokenClaims | undefined
  readonly clock: Clock
  readonly failureLog: FailureLog
  /** Default: that of the other hooks. */
  readonly hookTimeoutMs?: number
}

/** Whom a token is about, and for which service it is. */
export interface TokenSubject {
  readonly session: Session
  readonly handle: string
  readonly audience: string
}

/** A new token. */
export interface IssuedToken {
  readonly token: string
  readonly expiresAt: Date
}

/**
 * Issues tokens, none of which outlives its session as far as the end of that is known now. Throws
 * `ERR_HOOK_FAILED`, what `claims` throws, and `ERR_SESSION_UNKNOWN` within the last second of a session.
 */
export function createIssueToken(parts: IssuerParts) {
  prepareSignatures([parts.key.alg])
  return async function issueToken({ session, handle, audience }: TokenSubject): Promise<IssuedToken> {
    const further = await furtherClaims(parts, session)
    const iat = Math.floor(parts.clock() / 1000)
    const ends = [session.expiresAt, session.idleExpiresAt].map((end) => Math.floor(end.getTime() / 1000))
    const exp = Math.min(iat + parts.lifetimeSeconds, ...ends)
    if (!(exp > iat)) throw unknownSession()
    const { appid, openid, unionid } = session
    const token = signed(
      {
        ...further,
        ...{ iss: parts.issuer, sub: handle, aud: audience, iat, exp },
        jti: randomBytes(JTI_BYTES).toString('base64url'),
        // An openid means nothing without its app.
        ...(parts.openid && { openid, appid }),
        ...(parts.unionid && unionid !== undefined && { unionid }),
      },
      parts.key,
    )
    return { token, expiresAt: new Date(exp * 1000) }
  }
}

async function furtherClaims(parts: IssuerParts, session: Session): Promise<JsonObject> {
  const { claims, failureLog, hookTimeoutMs = HOOK_TIMEOUT_MS } = parts
  if (!claims) return {}
  const further = await callHook(
    'claims',
    async () => checkedClaims(await claims(session)),
    failureLog,
    hookTimeoutMs,
  )
  return further as JsonObject
}

function checkedClaims(given: unknown): JsonObject {
  if (given === undefined) return {}
  const json = isJsonObject(given) ? JSON.stringify(given) : undefined
  const value: unknown = json && JSON.parse(json)
  if (json === undefined || !isJsonObject(value))
    throw new TypeError('claims must return a plain JSON object')
  const taken = [...OWN_CLAIMS, '__proto__'].filter((name) => Object.hasOwn(value, name))
  if (taken.length > 0) throw new TypeError(`claims must not return ${taken.join(', ')}: they are set here`)
  const bytes = Buffer.byteLength(json)
  if (bytes <= MOST_CLAIMS_BYTES) return value
  throw new TypeError(`claims may return ${MOST_CLAIMS_BYTES} bytes as JSON, and this has ${bytes}`)
}
