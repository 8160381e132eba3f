import { hash } from 'node:crypto'
import type { LoginOrigin } from '../sessions/login-origin.js'
import type { WireRequest } from './protocol.js'

/** Whether a value is absent. In a header, old clients send the names of null and undefined. */
export function isAbsent(value: unknown): value is undefined | null | 'undefined' | 'null' {
  return value === undefined || value === null || value === 'undefined' || value === 'null'
}

/**
 * Recognises a client that sends no nonce by the encrypted data that came with its code, which no log keeps
 * and no business server changes, or else by its address.
 */
export function legacyOrigin({ mount, peer }: WireRequest, encryptedData: string | undefined): LoginOrigin {
  return { mount, peer, nonce: encryptedData && hash('sha256', encryptedData, 'base64url') }
}
