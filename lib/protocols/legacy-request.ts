import { hash } from 'node:crypto'
import type { LoginOrigin } from '../sessions/login-origin.js'
import type { WireRequest } from './protocol.js'

/** The idle lifetime of wxapp and the Wafer session server: 30 days. */
export const LEGACY_SESSION_DURATION_SECONDS = 2_592_000

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
