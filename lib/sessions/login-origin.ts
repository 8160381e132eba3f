import { hash, timingSafeEqual } from 'node:crypto'
import { WeappError } from '../errors.js'

const NONCE = /^[\x21-\x7e]{16,128}$/

/** Where a login code came from. It identifies a client that retries its login after a lost response. */
export interface LoginOrigin {
  /** The path of the login route: `mount` of a `WireRequest`. */
  readonly mount: string
  /** A random text of the client, the same for each try: 16 to 128 visible ASCII characters. */
  readonly nonce?: string | undefined
  /** The IP address of the client. Ignored with a nonce, as a phone may change its network. */
  readonly peer?: string | undefined
}

/** Throws `ERR_REQUEST_INVALID` for a malformed nonce. */
export function checkOrigin(origin: LoginOrigin | undefined): LoginOrigin | undefined {
  if (origin?.nonce === undefined || NONCE.test(origin.nonce)) return origin
  throw new WeappError('ERR_REQUEST_INVALID', '"nonce" must be 16 to 128 visible ASCII characters.')
}

/** Whether both are of the same client, compared in constant time. False without a nonce or an address. */
export function isSameOrigin(one: LoginOrigin | undefined, other: LoginOrigin | undefined): boolean {
  const [given, known] = [digestOf(one), digestOf(other)]
  return given !== undefined && known !== undefined && timingSafeEqual(given, known)
}

function digestOf(origin: LoginOrigin | undefined): Buffer | undefined {
  const { mount, nonce, peer } = origin ?? {}
  if (nonce === undefined && peer === undefined) return undefined
  return hash('sha256', JSON.stringify(nonce === undefined ? { mount, peer } : { mount, nonce }), 'buffer')
}
