import { WeappError } from '../errors.js'
import type { WireRequest } from './protocol.js'

const BEARER = /^Bearer +(.*)$/i

/**
 * The token in a header of the client's own and in `Authorization: Bearer`. Sent twice it has to be the same; anything else is
 * `ERR_TOKEN_MALFORMED`, as one of the two may have been put there by somebody else.
 */
export function tokenInHeaders(request: WireRequest, header: string): string | undefined {
  const own = request.headers[header] ?? []
  const bearer = (request.headers.authorization ?? []).flatMap((value) => BEARER.exec(value)?.[1] ?? [])
  const [token, ...others] = [...own, ...bearer].filter((value) => value !== '')
  if (own.length > 1 || bearer.length > 1 || others.some((other) => other !== token)) {
    throw new WeappError('ERR_TOKEN_MALFORMED', 'The request carries more than one token.')
  }
  return token
}
