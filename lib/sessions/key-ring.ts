import { createSecretKey, hash, type KeyObject } from 'node:crypto'
import { textOption } from '../options.js'
import type { App } from './app-info.js'
import { deriveKey, open, seal } from './envelope.js'
import type { UserRef } from './session.js'
import { handleOf } from './token.js'

const LEAST_SECRET_LENGTH = 32
const KEY_ID_LENGTH = 6

/** What a sealed secret belongs to. Moved to another app, user, session or purpose, it does not open. */
export interface KeyBinding {
  readonly appid: string
  readonly openid?: string
  readonly sessionId?: string
  /** Default `session_key`. */
  readonly purpose?: string
}

/** Encrypts secrets at rest, each session and purpose under its own AES-256-GCM key; names users. */
export interface KeyRing {
  /** Encrypts with the newest key. Returns `<key id>.<envelope>`. */
  seal(secret: string, binding: KeyBinding): string
  /** Decrypts, or returns nothing when no key of the ring fits or the binding is another. */
  open(sealed: string, binding: KeyBinding): string | undefined
  /**
   * The handles of a user: that of the newest key, under which sessions begin, then those of the older ones,
   * under which sessions may still live. None for an app that is not configured.
   */
  handlesOf(user: UserRef): readonly string[]
}

interface RingKey {
  readonly id: string
  readonly master: Buffer
  readonly handles: KeyObject
}

/**
 * Makes the ring. `secrets` are at least 32 characters each, newest first: the first one seals, all of them
 * open. Without secrets, each app's session_keys are sealed under a key derived from its AppSecret.
 */
export function createKeyRing(secrets: readonly string[] | undefined, apps: readonly App[]): KeyRing {
  const shared = secrets && [...new Set(secrets)].map(ringKey)
  const own = new Map(shared ? [] : apps.map((app) => [app.appid, ringKey(app.secret)]))
  const opening = new Map([...(shared ?? own.values())].map((key) => [key.id, key]))

  return {
    seal(secret, binding) {
      const key = shared?.[0] ?? own.get(binding.appid)
      if (!key) throw new TypeError('a secret can only be sealed for an app that is configured')
      return `${key.id}.${seal(keyFor(key, binding), secret, contextOf(binding))}`
    },
    open(sealed, binding) {
      const key = opening.get(sealed.slice(0, KEY_ID_LENGTH))
      if (!key) return undefined
      return open(keyFor(key, binding), sealed.slice(KEY_ID_LENGTH + 1), contextOf(binding))
    },
    handlesOf({ appid, openid }) {
      const key = own.get(appid)
      const keys = shared ?? (key ? [key] : [])
      return keys.map(({ handles }) => handleOf(handles, appid, openid))
    },
  }
}

export function checkSecrets(where: string, secrets: unknown): void {
  if (secrets === undefined) return
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new TypeError(`${where} must be an array of one or more secrets, newest first`)
  }
  for (const [index, secret] of secrets.entries())
    textOption(`${where}[${index}]`, secret, LEAST_SECRET_LENGTH)
}

function ringKey(secret: string): RingKey {
  const master = deriveKey(secret, '', 'at-rest')
  const handles = createSecretKey(deriveKey(master, '', 'handle'))
  return { id: hash('sha256', master, 'base64url').slice(0, KEY_ID_LENGTH), master, handles }
}

/** One key per session or user, so that random nonces do not repeat under a key. */
function keyFor(key: RingKey, binding: KeyBinding): Buffer {
  const { openid = '', sessionId = openid, purpose = 'session_key' } = binding
  return deriveKey(key.master, sessionId, purpose)
}

function contextOf({ appid, openid = '', sessionId = '' }: KeyBinding): string {
  return [appid, openid, sessionId].join('\0')
}
