import { isUtf8 } from 'node:buffer'
import type { Clock } from '../clock.js'
import type { JsonObject } from '../json-object.js'
import { parseStrictObject } from '../strict-json.js'
import type { ServiceTokenAlgorithm } from './algorithms.js'
import { checkClaims, type ExpectedClaims, type ServiceToken } from './claims.js'
import { refusedToken } from './refusals.js'
import { isSignedBy, prepareSignatures, TOKEN_TYPE, type TokenKey } from './signature.js'

/** A longer one is refused before anything looks into it. */
const MOST_TOKEN_LENGTH = 8192
/** So many headers of good tokens are remembered: those of one key are all the same. */
const MOST_HEADERS = 100
/**
 * All that a header may have. So `crit` is refused, and so are `jku`, `x5u`, `jwk` and `x5c`, by which a
 * token would bring the key for itself (RFC 8725, 3.10).
 */
const HEADER_NAMES: readonly string[] = ['alg', 'kid', 'typ']

/** Returns the key of this name; undefined where there is none. Throws `ERR_SERVICE_KEYS_UNAVAILABLE`. */
export type FindKey = (kid: string) => TokenKey | undefined | Promise<TokenKey | undefined>

/** Checks tokens. Throws `ERR_SERVICE_TOKEN_INVALID`, and what {@link FindKey} throws. */
export type VerifyToken = (token: string) => Promise<ServiceToken>

interface VerifierParts {
  readonly findKey: FindKey
  readonly algorithms: readonly ServiceTokenAlgorithm[]
  readonly expected: ExpectedClaims
  readonly clock: Clock
}

/** What a header says. */
interface Header {
  readonly alg: ServiceTokenAlgorithm
  readonly kid: string
}

export function createVerifyToken({ findKey, algorithms, expected, clock }: VerifierParts): VerifyToken {
  prepareSignatures(algorithms)
  const goodHeaders = new Map<string, Header>()

  return async function verifyToken(token) {
    if (token.length > MOST_TOKEN_LENGTH)
      throw refusedToken(`it has more than ${MOST_TOKEN_LENGTH} characters`)
    const parts = token.split('.')
    const [header, payload, signature] = parts
    if (parts.length !== 3 || !header || !payload || !bytesIn(signature))
      throw refusedToken('it is not a JWT')
    const known = goodHeaders.get(header)
    const { alg, kid } = known ?? headerIn(header)

    const key = await findKey(kid)
    if (!key) throw refusedToken('its key is not known')
    if (key.alg !== alg) throw refusedToken('its alg is not that of its key')
    if (!isSignedBy(token, key)) throw refusedToken('its signature is wrong')
    if (!known) {
      if (goodHeaders.size >= MOST_HEADERS) goodHeaders.clear()
      goodHeaders.set(header, { alg, kid })
    }
    return checkClaims(objectIn(payload), expected, clock())
  }

  function headerIn(header: string): Header {
    const { alg, kid, typ, ...others } = objectIn(header)
    if (Object.keys(others).length > 0) {
      throw refusedToken(`its header has more than ${HEADER_NAMES.join(', ')}`)
    }
    if (typ !== TOKEN_TYPE) throw refusedToken(`its typ is not ${TOKEN_TYPE}`)
    const allowed = algorithms.find((one) => one === alg)
    if (!allowed) throw refusedToken('its alg is not allowed')
    if (typeof kid !== 'string') throw refusedToken('it has no kid')
    return { alg: allowed, kid }
  }
}

function objectIn(part: string): JsonObject {
  const bytes = bytesIn(part)
  const value = bytes && isUtf8(bytes) ? parseStrictObject(bytes.toString()) : undefined
  if (!value) throw refusedToken('a part of it is not a JSON object in base64url')
  return value
}

/** Decodes base64url in its one form (RFC 7515, section 2), of a byte at least: Node reads others, too. */
function bytesIn(text: string = ''): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length > 0 && bytes.toString('base64url') === text ? bytes : undefined
}
