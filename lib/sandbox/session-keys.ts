import { newSessionKey } from './identifiers.js'

/** When `wx.login` replaces the session_key. */
export interface KeyRotation {
  rotateOnLogin: boolean
  minRefreshIntervalMs: number
}

interface IssuedKey {
  sessionKey: string
  issuedAt: number
}

/** The session_keys: exactly one is valid per user and app. */
export class SessionKeys {
  readonly #clock: () => number
  readonly #rotation: KeyRotation
  readonly #valid = new Map<string, IssuedKey>()

  constructor(clock: () => number, rotation: KeyRotation) {
    this.#clock = clock
    this.#rotation = rotation
  }

  valid(user: string, appid: string): string {
    return this.#valid.get(slot(user, appid))?.sessionKey ?? this.rotate(user, appid)
  }

  rotate(user: string, appid: string): string {
    const sessionKey = newSessionKey()
    this.#valid.set(slot(user, appid), { sessionKey, issuedAt: this.#clock() })
    return sessionKey
  }

  refreshForLogin(user: string, appid: string): string {
    return this.#isDue(user, appid) ? this.rotate(user, appid) : this.valid(user, appid)
  }

  #isDue(user: string, appid: string): boolean {
    const key = this.#valid.get(slot(user, appid))
    if (!key) return true
    return this.#rotation.rotateOnLogin && this.#clock() - key.issuedAt >= this.#rotation.minRefreshIntervalMs
  }
}

function slot(user: string, appid: string): string {
  return JSON.stringify([user, appid])
}
