import { WeappError } from '../errors.js'
import { isLikeToken } from '../sessions/token.js'
import type { WireRequest } from './protocol.js'

const BEARER = /^Bearer +(.*)$/i

/** Where a client puts its token. */
export interface TokenPlaces {
  /** The client's own header, in lower case. */
  readonly header: string
  /** Whether `Authorization: Bearer` is read as well. */
  readonly bearer: boolean
}

/**
 * Returns the token in a header of the client's own, or in `Authorization: Bearer`. What cannot be one of our
 * tokens there belongs to somebody else, such as a gateway, and is ignored. Two tokens are
 * `ERR_TOKEN_MALFORMED`, unless they are the same one in both places: somebody else may have added one.
 */
export function tokenInHeaders(request: WireRequest, { header, bearer }: TokenPlaces): string | undefined {
  const own = request.headers[header] ?? []
  const shared = bearer ? (request.headers.authorization ?? []).flatMap(bearerIn) : []
  const [token, ...others] = [...own, ...shared].filter((value) => value !== '')
  if (own.length > 1 || shared.length > 1 || others.some((other) => other !== token)) {
    throw new WeappError('ERR_TOKEN_MALFORMED', 'The request carries more than one token.')
  }
  return token
}

function bearerIn(value: string): string[] {
  const token = BEARER.exec(value)?.[1]
  return token !== undefined && isLikeToken(token) ? [token] : []
}
