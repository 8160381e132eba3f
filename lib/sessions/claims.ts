import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Claim, SessionStore } from './store.js'

const CLAIMANT_BYTES = 12
const FIRST_POLL_MS = 20
const SLOWEST_POLL_MS = 250

/** A claim as it is asked for. */
export interface Wish {
  readonly id: string
  /** How long the claim is good if nobody gives it back, in milliseconds. */
  readonly lifetimeMs: number
  /** How long somebody else's claim is waited for, in milliseconds. */
  readonly patienceMs: number
}

/** A claim that was granted, settled before, or somebody else's until the end of patience. */
export type ClaimResult =
  | {
      readonly state: 'claimed'
      readonly claimant: string
      /** The moment of the claim by the clock of the store, in microseconds since 1970. */
      readonly at: number
    }
  | Exclude<Claim, { state: 'claimed' }>

/** Claims ids in the store, one claimant at a time in all processes, and writes what follows from it in the background. */
export class Claims {
  readonly #store: Required<SessionStore>
  readonly #writing = new Set<Promise<unknown>>()

  constructor(store: Required<SessionStore>) {
    this.#store = store
  }

  /** Waits for its turn. Throws `ERR_STORE_UNAVAILABLE`. */
  async claim({ id, lifetimeMs, patienceMs }: Wish): Promise<ClaimResult> {
    const claimant = randomBytes(CLAIMANT_BYTES).toString('base64url')
    const patience = AbortSignal.timeout(patienceMs)
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, SLOWEST_POLL_MS)) {
      const claim = await this.#ask(id, claimant, lifetimeMs)
      if (claim.state !== 'pending' || patience.aborted) return claim
      await pause(pollMs)
    }
  }

  /** Gives a claim back. Does not wait. */
  release(id: string, claimant: string): void {
    this.inBackground(this.#store.release(id, claimant))
  }

  /** Lets work go on that nobody waits for. Its failure has been told to the log by whoever does it. */
  inBackground(work: Promise<unknown>): void {
    const writing = work.catch(() => undefined).finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  /** Resolves when nothing goes on in the background. */
  async idle(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing)
  }

  /** A question that was not answered in time may still be carried out: what it claimed then is given back. */
  async #ask(id: string, claimant: string, lifetimeMs: number): Promise<ClaimResult> {
    try {
      const claim = await this.#store.claim(id, claimant, lifetimeMs)
      return claim.state === 'claimed' ? { ...claim, claimant } : claim
    } catch (error) {
      this.release(id, claimant)
      throw error
    }
  }
}
