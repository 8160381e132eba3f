import { setTimeout as pause } from 'node:timers/promises'
import { countdown, withinDeadline } from '../deadline.js'
import { jittered } from '../jitter.js'
import { RandomPool } from '../random-pool.js'
import { changedAllTheTime } from './contention.js'
import type { SessionStore } from './store.js'

const CLAIMANT_BYTES = 12
const FIRST_POLL_MS = 20
const SLOWEST_POLL_MS = 250
const POLL_GROWTH = 1.5
/** Each further try means that another process has changed the claim in between. */
const MOST_TRIES = 5
/** Prefixes of a claimant, and of the outcome that replaces it. */
const CLAIM_MARK = '?'
const OUTCOME_MARK = '!'

export interface ClaimRequest {
  readonly id: string
  /** How long a claim lasts that is neither settled nor released, in milliseconds. */
  readonly lifetimeMs: number
  /** How long to wait while another claimant has it, in milliseconds. */
  readonly patienceMs: number
  /** Whether the claim must outlive the loss of a server of the store. Default false. */
  readonly mustLast?: boolean
}

export interface Claim {
  readonly id: string
  /** A random id, another one for each request. */
  readonly claimant: string
  /** By the clock of the store, in microseconds since 1970. */
  readonly grantedAt: number
}

/** A claim that is granted, has been settled, or belongs to another claimant when patience ends. */
export type ClaimResult =
  | { readonly state: 'claimed'; readonly claim: Claim }
  | { readonly state: 'settled'; readonly outcome: string }
  | { readonly state: 'pending' }

/** A claim of this process. `ended` resolves when it has been settled or released. */
interface HeldClaim {
  readonly claimant: string
  readonly ended: Promise<void>
  readonly end: () => void
}

/**
 * Has something done once, by one claimant at a time across all processes. A claim is a shared value that is
 * written where there is none. Each claim that is granted must be settled or released.
 */
export class Once {
  readonly #store: Required<SessionStore>
  readonly #background: BackgroundWork
  readonly #claimants = new RandomPool()
  /** The open claims of this process, by id. */
  readonly #held = new Map<string, HeldClaim>()

  constructor({ store, background }: { store: Required<SessionStore>; background: BackgroundWork }) {
    this.#store = store
    this.#background = background
  }

  /** Waits for a claim; polls the store if another process has it. Throws `ERR_STORE_UNAVAILABLE`. */
  async claim(request: ClaimRequest): Promise<ClaimResult> {
    const { id, patienceMs } = request
    const claimant = this.#claimants.take(CLAIMANT_BYTES).toString('base64url')
    const leftMs = countdown(patienceMs)
    for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * POLL_GROWTH, SLOWEST_POLL_MS)) {
      await this.#ended(id, Math.min(leftMs(), request.lifetimeMs))
      const result = await this.#ask(request, claimant)
      if (result.state !== 'pending' || leftMs() <= 0) return result
      if (!this.#held.has(id)) await pause(jittered(pollMs))
    }
  }

  /**
   * Replaces the claim by its outcome for `keepMs`, even if it has run out or another claimant has it now.
   * Throws `ERR_STORE_UNAVAILABLE`.
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

  async #ask({ id, lifetimeMs, mustLast }: ClaimRequest, claimant: string): Promise<ClaimResult> {
    const to = CLAIM_MARK + claimant
    try {
      const change = { id, from: null, to, keepMs: lifetimeMs, ...(mustLast && { mustLast }) }
      const { value } = await this.#store.replaceValue(change)
      // A client that lost its connection sends the request again and may find its own claim.
      if (value?.text === to) return this.#granted({ id, claimant, grantedAt: value.writtenAt })
      if (!value || value.text.startsWith(CLAIM_MARK)) return { state: 'pending' }
      return { state: 'settled', outcome: value.text.slice(OUTCOME_MARK.length) }
    } catch (error) {
      // The claim may have been written although the store did not respond in time.
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

  /** Waits until this process has no such claim, but no longer than `patienceMs`. */
  async #ended(id: string, patienceMs: number): Promise<void> {
    const ended = this.#held.get(id)?.ended
    if (ended) await withinDeadline(ended, patienceMs, () => new Error('timeout')).catch(() => undefined)
  }
}

/** Work that nobody waits for, and whose failures are logged by the work itself. */
export class BackgroundWork {
  readonly #running = new Set<Promise<unknown>>()

  add(work: Promise<unknown>): void {
    const ended = work.catch(() => undefined).finally(() => this.#running.delete(ended))
    this.#running.add(ended)
  }

  /** Resolves when no work is left. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
