import { createSecretKey, hash, type KeyObject } from 'node:crypto'
import { textOption } from '../options.js'
import type { App } from './app-info.js'
import { deriveKey, open, seal, type TextForm } from './envelope.js'
import type { SessionRef, UserRef } from './session.js'
import { addressNamed, handleOf, type SessionAddress } from './token.js'

const LEAST_SECRET_LENGTH = 32
const KEY_ID_LENGTH = 6
const KEY_ID = /^[A-Za-z0-9_-]{6}$/
/** How many handles are remembered with their users, which saves an HMAC for each request: some 4 MB. */
const MOST_KNOWN_HANDLES = 20_000
/** Between key id and envelope. Where it is missing, the plaintext is the bytes of what is base64. */
const TEXT_MARK = '.'
const SESSION_KEY_BYTES = 16

/** What a sealed secret belongs to. It does not open for another app, user, session or purpose. */
export interface KeyBinding {
  readonly appid: string
  readonly openid?: string
  readonly sessionId?: string
  /** Default `session_key`. */
  readonly purpose?: string
}

/**
 * Encrypts secrets at rest (AES-256-GCM, one key per session and purpose) and turns users into pseudonyms.
 */
export interface KeyRing {
  /**
   * Encrypts under the newest ring key. Returns `<key id>.<envelope>`, or `<key id><envelope>` of the bytes
   * where the secret is 16 bytes as base64, as a session_key is.
   */
  seal(secret: string, binding: KeyBinding): string
  /** Decrypts; undefined when no ring key fits or the binding differs. */
  open(sealed: string, binding: KeyBinding): string | undefined
  /**
   * Returns the handles of a user: of the newest ring key, under which sessions begin, then of the older
   * ones, under which sessions may still live. None for an unknown app.
   */
  handlesOf(user: UserRef): readonly string[]
  /** Whether a handle is one of a user. */
  hasHandle(user: UserRef, handle: string): boolean
  /** Whether the ring is one of `keys`, not of AppSecrets. */
  readonly hasKeys: boolean
  /** Returns the ids of the ring keys of an app, newest first. An id does not reveal its key. */
  keyIdsOf(appid: string): readonly string[]
  /** Whether the AppSecret of an app has this id, in the ring or not. */
  isAppSecret(keyId: string, appid: string): boolean
}

interface RingKey {
  readonly id: string
  readonly master: Buffer
  readonly handles: KeyObject
}

/**
 * Creates a ring of `secrets`, newest first: the first one seals, all of them open. Without `secrets`, the
 * AppSecret of each app takes their place.
 */
export function createKeyRing(secrets: readonly string[] | undefined, apps: readonly App[]): KeyRing {
  const shared = secrets && [...new Set(secrets)].map(ringKey)
  const groups = new Map(apps.map(({ appid, group }) => [appid, group]))
  const own = new Map(shared ? [] : apps.map((app) => [app.appid, ringKey(app.secret.reveal())]))
  const opening = new Map([...(shared ?? own.values())].map((key) => [key.id, key]))
  const known = new Map<string, UserRef>()
  const keysOf = (appid: string) => shared ?? [own.get(appid)].filter((key) => key !== undefined)

  function handlesOf({ appid, openid }: UserRef): readonly string[] {
    return keysOf(appid).map(({ handles }) => handleOf(handles, appid, openid, groups.get(appid)))
  }

  return {
    seal(secret, binding) {
      const key = shared?.[0] ?? own.get(binding.appid)
      if (!key) throw new TypeError('a secret can only be sealed for an app that is configured')
      const form = formOf(secret)
      const mark = form === 'utf8' ? TEXT_MARK : ''
      return key.id + mark + seal(keyFor(key, binding), secret, contextOf(binding, form), form)
    },
    open(sealed, binding) {
      const key = opening.get(sealed.slice(0, KEY_ID_LENGTH))
      const form = sealed[KEY_ID_LENGTH] === TEXT_MARK ? 'utf8' : 'base64'
      const envelope = sealed.slice(KEY_ID_LENGTH + (form === 'utf8' ? TEXT_MARK.length : 0))
      return key && open(keyFor(key, binding), envelope, contextOf(binding, form), form)
    },
    handlesOf,
    hasHandle({ appid, openid }, handle) {
      const user = known.get(handle)
      if (user?.openid === openid && user.appid === appid) return true
      if (!handlesOf({ appid, openid }).includes(handle)) return false
      const [oldest] = known.size < MOST_KNOWN_HANDLES ? [] : known.keys()
      if (oldest !== undefined) known.delete(oldest)
      known.set(handle, { appid, openid })
      return true
    },
    hasKeys: shared !== undefined,
    keyIdsOf: (appid) => keysOf(appid).map(({ id }) => id),
    isAppSecret: (keyId, appid) =>
      apps.some((app) => app.appid === appid && ringKey(app.secret.reveal()).id === keyId),
  }
}

/** Returns where a session is; undefined where its id is not one of a session of this user. */
export function addressOwned(
  keyRing: KeyRing,
  { sessionId, ...user }: SessionRef,
): SessionAddress | undefined {
  const address = addressNamed(sessionId)
  return address && keyRing.hasHandle(user, address.handle) ? address : undefined
}

/** Whether a text may be the id of a ring key. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text)
}

/** Checks the `keys` option. */
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

/** A key for each session or user, so that no random nonce repeats under a key. */
function keyFor(key: RingKey, binding: KeyBinding): Buffer {
  const { openid = '', sessionId = openid, purpose = 'session_key' } = binding
  return deriveKey(key.master, sessionId, purpose)
}

/** The form is part of it, so that a text never opens as bytes, nor bytes as a text. */
function contextOf({ appid, openid = '', sessionId = '' }: KeyBinding, form: TextForm): string {
  const parts = [appid, openid, sessionId]
  return (form === 'utf8' ? parts : [...parts, form]).join('\0')
}

/** Only what comes back as it was may be sealed as bytes: `base64` has several texts for the same bytes. */
function formOf(secret: string): TextForm {
  const bytes = Buffer.from(secret, 'base64')
  return bytes.length === SESSION_KEY_BYTES && bytes.toString('base64') === secret ? 'base64' : 'utf8'
}
