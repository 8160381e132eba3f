import { hash, timingSafeEqual } from 'node:crypto'
import { WeappError } from '../errors.js'

const NONCE = /^[\x21-\x7e]{16,128}$/

/** Where a login code came from. Identifies a client that repeats a login whose response was lost. */
export interface LoginOrigin {
  /** The path of the route that the code came in by: `mount` of a `WireRequest`. */
  readonly mount: string
  /** Random, the same each time the client sends this code: 16 to 128 visible ASCII characters. */
  readonly nonce?: string | undefined
  /** The address of the client. It counts only where there is no nonce: phones change networks. */
  readonly peer?: string | undefined
}

/** Checks an origin that came with a request. Throws `ERR_REQUEST_INVALID` for a nonce of the wrong form. */
export function checkOrigin(origin: LoginOrigin | undefined): LoginOrigin | undefined {
  if (origin?.nonce === undefined || NONCE.test(origin.nonce)) return origin
  throw new WeappError('ERR_REQUEST_INVALID', '"nonce" must be 16 to 128 visible ASCII characters.')
}

/** Whether both are of the same client, in constant time. False when neither nonce nor peer is known. */
export function isSameOrigin(one: LoginOrigin | undefined, other: LoginOrigin | undefined): boolean {
  const [given, known] = [markOf(one), markOf(other)]
  return given !== undefined && known !== undefined && timingSafeEqual(given, known)
}

/** What identifies a client, if anything does. */
function markOf(origin: LoginOrigin | undefined): Buffer | undefined {
  const { mount, nonce, peer } = origin ?? {}
  if (nonce === undefined && peer === undefined) return undefined
  return hash('sha256', JSON.stringify(nonce === undefined ? { mount, peer } : { mount, nonce }), 'buffer')
}
