import { hash } from 'node:crypto'
import type { LoginOrigin } from '../sessions/login-origin.js'
import type { WireRequest } from './protocol.js'

/**
 * By what a client is known again that sends no nonce: the encrypted data that came with its code, which a log does not keep and a
 * business server in between does not change. Without data its address has to do.
 */
export function legacyOrigin({ mount, peer }: WireRequest, encryptedData: string | undefined): LoginOrigin {
  return { mount, peer, nonce: encryptedData && hash('sha256', encryptedData, 'base64url') }
}
