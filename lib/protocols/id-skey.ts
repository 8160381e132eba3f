import { WeappError } from '../errors.js'
import { handleIn, isHandleOf } from '../sessions/token.js'

/**
 * Returns the token of a client that keeps two strings: `id`, the handle, and `skey`, the token. An id that
 * does not belong to the skey is `ERR_TOKEN_MALFORMED`; if either is missing there is no token.
 */
export function tokenFromPair(id: string | undefined, skey: string | undefined): string | undefined {
  if (!id || !skey) return undefined
  if (isHandleOf(id, skey)) return skey
  throw new WeappError('ERR_TOKEN_MALFORMED', 'The id does not belong to the skey.')
}

/** Returns the `id` that goes with an skey. */
export function idOf(skey: string): string {
  return handleIn(skey)
}
