import { WeappError } from '../errors.js'
import { handleIn, isHandleOf } from '../sessions/token.js'

/**
 * Returns the token of a client that keeps it in two strings: `id`, the handle, and `skey`, the token itself.
 * Throws `ERR_TOKEN_MALFORMED` where they do not belong together; returns undefined if either is missing.
 */
export function tokenFromPair(id: string | undefined, skey: string | undefined): string | undefined {
  if (!id || !skey) return undefined
  if (isHandleOf(id, skey)) return skey
  throw new WeappError('ERR_TOKEN_MALFORMED', 'The id does not belong to the skey.')
}

export function idOf(skey: string): string {
  return handleIn(skey)
}
