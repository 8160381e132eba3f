import { hash } from 'node:crypto'
import type { LoginOrigin } from '../sessions/login-origin.js'
import type { WireRequest } from './protocol.js'

/**
 * Whether an old client has nothing to send: it sends null or, where only strings go, such as in a header,
 * what its language makes of nothing.
 */
export function isAbsent(value: unknown): value is undefined | null | 'undefined' | 'null' {
  return value === undefined || value === null || value === 'undefined' || value === 'null'
}

/**
 * How a client that sends no nonce is recognised: by the encrypted data that came with its code, which no log
 * keeps and no business server in between changes. Without data its address has to do.
 */
export function legacyOrigin({ mount, peer }: WireRequest, encryptedData: string | undefined): LoginOrigin {
  return { mount, peer, nonce: encryptedData && hash('sha256', encryptedData, 'base64url') }
}
