import type { Clock } from '../clock.js'
import { Claims } from './claims.js'
import type { SessionStore } from './store.js'
import { valueIdOf } from './token.js'

/** What is tried, and in whose name. */
export interface TrySubject {
  readonly appid: string
  readonly openid?: string
  /** Tells subjects of one user apart. */
  readonly about?: string
}

interface TriesParts {
  readonly store: Required<SessionStore>
  readonly clock: Clock
  /** What is tried; keeps the tries for different things apart. */
  readonly purpose: string
  /** How many a subject has. */
  readonly most: number
  /** When a try that was used up comes back, in milliseconds. */
  readonly lifetimeMs: number
}

/** A try that was taken. */
export interface Try {
  /** Whether it was the last one. */
  readonly isLast: boolean
  /** Gives it back: it does not count. Does not wait. */
  giveBack(): void
}

/**
 * Bounds how often something is tried, in all processes together, also by requests that come in the same moment: a try is taken
 * before, and given back if it need not count. One that is kept comes back by itself.
 */
export class Tries {
  readonly #claims: Claims
  readonly #purpose: string
  readonly #most: number
  readonly #lifetimeMs: number

  constructor({ store, clock, purpose, most, lifetimeMs }: TriesParts) {
    this.#claims = new Claims(store, clock)
    this.#purpose = purpose
    this.#most = most
    this.#lifetimeMs = lifetimeMs
  }

  /** Takes a try; undefined when all are taken. One round trip for each that is taken already. Throws `ERR_STORE_UNAVAILABLE`. */
  async take(subject: TrySubject): Promise<Try | undefined> {
    for (let place = 1; place <= this.#most; place += 1) {
      const id = valueIdOf({ ...subject, purpose: `${this.#purpose} ${place} ${subject.about ?? ''}` })
      const claim = await this.#claims.claimNow({ id, lifetimeMs: this.#lifetimeMs })
      if (claim.state !== 'claimed') continue
      return {
        isLast: place === this.#most,
        giveBack: () => this.#claims.release(id, claim.claimant),
      }
    }
    return undefined
  }

  /** Resolves when everything given back has been written. */
  async idle(): Promise<void> {
    await this.#claims.idle()
  }
}
