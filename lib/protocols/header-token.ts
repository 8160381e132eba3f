import { WeappError } from '../errors.js'
import { isLikeToken } from '../sessions/token.js'
import type { WireRequest } from './protocol.js'

const BEARER = /^Bearer +(.*)$/i

export interface TokenPlaces {
  /** In lower case. */
  readonly header: string
  /** Whether `Authorization: Bearer` is read, too. */
  readonly bearer: boolean
}

/**
 * Returns the token in a header of the client's own, or in `Authorization: Bearer`, where anything but one of
 * our tokens is ignored: a gateway may have put it there. Throws `ERR_TOKEN_MALFORMED` for two different
 * tokens and for a repeated header.
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
