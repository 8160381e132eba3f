import { newSessionKey, openidOf } from './identifiers.js'

/** When session_keys are replaced, and how long they live. */
export interface KeyRotation {
  rotateOnLogin: boolean
  minRefreshIntervalMs: number
  sessionKeyLifetimeMs: number
}

interface IssuedKey {
  appid: string
  sessionKey: string
  issuedAt: number
}

/** The session_keys: at most one is valid for a user of an app. */
export class SessionKeys {
  readonly #clock: () => number
  readonly #rotation: KeyRotation
  /** By openid. */
  readonly #issued = new Map<string, IssuedKey>()

  constructor(clock: () => number, rotation: KeyRotation) {
    this.#clock = clock
    this.#rotation = rotation
  }

  /** Returns a user's valid key, or a new one. */
  ensure(user: string, appid: string): string {
    return this.find(openidOf(user, appid), appid) ?? this.rotate(user, appid)
  }

  find(openid: string, appid: string): string | undefined {
    return this.#live(openid, appid)?.sessionKey
  }

  rotate(user: string, appid: string): string {
    const sessionKey = newSessionKey()
    this.#issued.set(openidOf(user, appid), { appid, sessionKey, issuedAt: this.#clock() })
    return sessionKey
  }

  /** Replaces a valid key with one that expires when the old one would have. */
  reset(openid: string, appid: string): string | undefined {
    const key = this.#live(openid, appid)
    if (!key) return undefined
    key.sessionKey = newSessionKey()
    return key.sessionKey
  }

  refreshForLogin(user: string, appid: string): string {
    return this.#isDue(user, appid) ? this.rotate(user, appid) : this.ensure(user, appid)
  }

  #live(openid: string, appid: string): IssuedKey | undefined {
    const key = this.#issued.get(openid)
    if (key?.appid !== appid) return undefined
    return this.#clock() - key.issuedAt < this.#rotation.sessionKeyLifetimeMs ? key : undefined
  }

  #isDue(user: string, appid: string): boolean {
    const key = this.#live(openidOf(user, appid), appid)
    if (!key) return true
    return this.#rotation.rotateOnLogin && this.#clock() - key.issuedAt >= this.#rotation.minRefreshIntervalMs
  }
}
