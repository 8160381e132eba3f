import type { Clock } from '../clock.js'
import type { KeysInUse } from '../sessions/keys-in-use.js'
import type { BackgroundWork } from '../sessions/once.js'
import type { SessionStore } from '../sessions/store.js'
import type { Lifecycle } from './lifecycle.js'

/** The store is asked at most this often, however many ask for the health. */
const FRESH_MS = 1000

/** How it stands with something that sessions depend on; `unknown`: nobody has looked. */
export type PartState = 'up' | 'down' | 'unknown'

/** How it stands with sessions, without any secret. */
export interface SessionsHealth {
  /** Whether requests may be sent here: the store can write a login, and the end is not announced. */
  readonly isReady: boolean
  /** Whether `close` was called, or a server with these sessions is shutting down. */
  readonly isClosing: boolean
  /** Whether the store could write a login within the last second; `unknown` while closing. */
  readonly store: PartState
  /**
   * Whether WeChat answers: `down` while calls of any app to any API are only probed. Sessions that exist do
   * not need it, so `isReady` does not depend on it.
   */
  readonly wechat: PartState
}

interface HealthParts {
  readonly store: Required<SessionStore>
  readonly lifecycle: Lifecycle
  readonly keysInUse: KeysInUse
  readonly background: BackgroundWork
  readonly clock: Clock
  readonly wechatState: () => PartState
}

/** Tells how it stands. All who ask within a second share one question to the store. */
export class Health {
  readonly #parts: HealthParts
  #asking: Promise<PartState> | undefined
  #answer: PartState = 'unknown'
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(parts: HealthParts) {
    this.#parts = parts
  }

  /** Never rejects. */
  async check(): Promise<SessionsHealth> {
    const { lifecycle, wechatState } = this.#parts
    const answer = lifecycle.isClosing ? 'unknown' : await this.#storeState()
    // The end may have been announced meanwhile.
    const { isClosing } = lifecycle
    const store = isClosing ? 'unknown' : answer
    return { isReady: store === 'up', isClosing, store, wechat: wechatState() }
  }

  async #storeState(): Promise<PartState> {
    const now = this.#parts.clock()
    // The clock may be set back.
    const isFresh = Math.abs(now - this.#askedAt) < FRESH_MS
    if (!this.#asking && isFresh) return this.#answer
    if (!this.#asking) {
      this.#askedAt = now
      this.#asking = this.#ask()
    }
    return this.#asking
  }

  async #ask(): Promise<PartState> {
    const { store, keysInUse, background } = this.#parts
    try {
      await store.ping()
      this.#answer = 'up'
      background.add(keysInUse.check())
    } catch {
      this.#answer = 'down'
    } finally {
      this.#asking = undefined
    }
    return this.#answer
  }
}
