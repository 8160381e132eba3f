import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { countdown, withinDeadline } from '../deadline.js'
import { changedAllTheTime } from './contention.js'
import type { SessionStore } from './store.js'

const CLAIMANT_BYTES = 12
const FIRST_POLL_MS = 20
const SLOWEST_POLL_MS = 250
const POLL_GROWTH = 1.5
/** Each retry means that somebody else changed the claim at the same time. */
const MOST_TRIES = 5
/** The prefixes of a claimant, and of the outcome that replaces it. */
const CLAIM_MARK = '?'
const OUTCOME_MARK = '!'

export interface ClaimRequest {
  readonly id: string
  /** How long the claim is good if nobody settles or releases it, in milliseconds. */
  readonly lifetimeMs: number
  /** How long another claim is awaited, in milliseconds. */
  readonly patienceMs: number
}

/** A claim that was granted. */
export interface Claim {
  readonly id: string
  /** By which the store knows the claimant again: random, another one for each request. */
  readonly claimant: string
  /** When it was granted, by the clock of the store, in microseconds since 1970. */
  readonly grantedAt: number
}

/** A claim that was granted, had been settled, or stayed with another claimant for `patienceMs`. */
export type ClaimResult =
  | { readonly state: 'claimed'; readonly claim: Claim }
  | { readonly state: 'settled'; readonly outcome: string }
  | { readonly state: 'pending' }

interface HeldClaim {
  readonly claimant: string
  /** Resolves when it has been settled or released. */
  readonly ended: Promise<void>
  readonly end: () => void
}

interface OnceParts {
  readonly store: Required<SessionStore>
  readonly background: BackgroundWork
}

/**
 * Has something done once, by one claimant at a time in all processes. A claim is a shared value that is
 * written only where there is none. Whoever is granted a claim has to settle or release it.
 */
export class Once {
  readonly #store: Required<SessionStore>
  readonly #background: BackgroundWork
  /** The claims that this process was granted and has neither settled nor released, by id. */
  readonly #held = new Map<string, HeldClaim>()

  constructor({ store, background }: OnceParts) {
    this.#store = store
    this.#background = background
  }

  /**
   * Waits for its turn: polls the store while another process has the claim, and waits for its end where it
   * is one of this process. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const { id, patienceMs } = request
    const claimant = randomBytes(CLAIMANT_BYTES).toString('base64url')
    const leftMs = countdown(patienceMs)
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * POLL_GROWTH, SLOWEST_POLL_MS)) {
      await this.#ended(id, Math.min(leftMs(), request.lifetimeMs))
      const result = await this.#ask(request, claimant)
      if (result.state !== 'pending' || leftMs() <= 0) return result
      if (!this.#held.has(id)) await pause(pollMs)
    }
  }

  /**
   * Writes the outcome, and keeps it for `keepMs`, in place of the claim: also where that has run out, and
   * where somebody else has claimed since. Throws `ERR_STORE_UNAVAILABLE`.
   */
  async settle({ id, claimant }: Claim, outcome: string, keepMs: number): Promise<void> {
    const to = OUTCOME_MARK + outcome
    let from: string | null = CLAIM_MARK + claimant
    try {
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        const { isReplaced, value } = await this.#store.replaceValue({ id, from, to, keepMs })
        if (isReplaced || value?.text === to) return
        from = value?.text ?? null
      }
      throw changedAllTheTime()
    } finally {
      this.#end(id, claimant)
    }
  }

  /** Gives the claim back, unless it has run out. Throws `ERR_STORE_UNAVAILABLE`. */
  async release({ id, claimant }: Claim): Promise<void> {
    try {
      await this.#giveBack(id, claimant)
    } finally {
      this.#end(id, claimant)
    }
  }

  /** A request that was not answered in time may be carried out all the same: its claim is given back. */
  async #ask({ id, lifetimeMs }: ClaimRequest, claimant: string): Promise<ClaimResult> {
    const to = CLAIM_MARK + claimant
    try {
      const { value } = await this.#store.replaceValue({ id, from: null, to, keepMs: lifetimeMs })
      // After a lost connection a client sends a request again: the claim in the way may be its own.
      if (value?.text === to) return this.#granted({ id, claimant, grantedAt: value.writtenAt })
      if (!value || value.text.startsWith(CLAIM_MARK)) return { state: 'pending' }
      return { state: 'settled', outcome: value.text.slice(OUTCOME_MARK.length) }
    } catch (error) {
      this.#background.add(this.#giveBack(id, claimant))
      throw error
    }
  }

  async #giveBack(id: string, claimant: string): Promise<void> {
    await this.#store.replaceValue({ id, from: CLAIM_MARK + claimant, to: null })
  }

  #granted(claim: Claim): ClaimResult {
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#held.get(claim.id)?.end()
    this.#held.set(claim.id, { claimant: claim.claimant, ended, end })
    return { state: 'claimed', claim }
  }

  #end(id: string, claimant: string): void {
    const held = this.#held.get(id)
    if (held?.claimant !== claimant) return
    this.#held.delete(id)
    held.end()
  }

  /** Waits for the end of a claim of this process, if there is one, for `patienceMs`. */
  async #ended(id: string, patienceMs: number): Promise<void> {
    const held = this.#held.get(id)
    if (held) await withinDeadline(held.ended, patienceMs, outOfPatience).catch(() => undefined)
  }
}

function outOfPatience(): Error {
  return new Error('somebody else has had the claim for too long')
}

/** Work that nobody waits for, but `idle`. */
export class BackgroundWork {
  readonly #underWay = new Set<Promise<unknown>>()

  /** A failure of the work has to be logged by the work itself. */
  add(work: Promise<unknown>): void {
    const ended = work.catch(() => undefined).finally(() => this.#underWay.delete(ended))
    this.#underWay.add(ended)
  }

  /** Resolves when no work is in progress. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }
}
