import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { changedAllTheTime } from './contention.js'
import type { SessionStore } from './store.js'

const CLAIMANT_BYTES = 12
const FIRST_POLL_MS = 20
const SLOWEST_POLL_MS = 250
/** Each try but the first means that somebody else has claimed the id in the same moment. */
const MOST_TRIES = 5
/** What stands before a claimant, and before an answer that has taken its place. */
const CLAIM_MARK = '?'
const ANSWER_MARK = '!'

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
  | { readonly state: 'pending' }
  | { readonly state: 'settled'; readonly answer: string }

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
    this.inBackground(this.#store.replaceValue({ id, from: CLAIM_MARK + claimant, to: null }))
  }

  /** Writes the answer in place of the claim, also where that has run out, and where somebody else has claimed since. */
  async settle(id: string, claimant: string, answer: string, keepMs: number): Promise<void> {
    const to = ANSWER_MARK + answer
    let from: string | null = CLAIM_MARK + claimant
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const { isReplaced, value } = await this.#store.replaceValue({ id, from, to, keepMs })
      if (isReplaced || value?.text === to) return
      from = value?.text ?? null
    }
    throw changedAllTheTime()
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
      const to = CLAIM_MARK + claimant
      const { value } = await this.#store.replaceValue({ id, from: null, to, keepMs: lifetimeMs })
      if (!value) return { state: 'pending' }
      if (value.text === to) return { state: 'claimed', claimant, at: value.writtenAt }
      return value.text.startsWith(CLAIM_MARK)
        ? { state: 'pending' }
        : { state: 'settled', answer: value.text.slice(ANSWER_MARK.length) }
    } catch (error) {
      this.release(id, claimant)
      throw error
    }
  }
}
