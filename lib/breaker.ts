import type { Clock } from './clock.js'
import loadCockatiel, {
  type Backoff,
  type BackoffFactory,
  type Circuit,
  type ConsecutiveBreaker,
} from './cockatiel.cjs'

/** Why calls are refused at the moment. */
export interface Refused {
  /** The failure that opened the breaker, or that of the last probe. */
  readonly lastFailure: unknown
  /** In how many milliseconds a call may go through as a probe; 0 while a probe is under way. */
  readonly probeInMs: number
}

export interface BreakerOptions {
  /** So many failures in a row open it. */
  readonly failuresInARow: number
  /**
   * How long it stays open before the first probe, in milliseconds: at least half of this, at random. Each
   * probe that fails doubles it.
   */
  readonly firstPauseMs: number
  /** What the pause grows to, in milliseconds. */
  readonly longestPauseMs: number
  /** Whether an error is a failure of the service. Any other shows that the service works. */
  readonly isFailure: (error: unknown) => boolean
  /** Makes the error of a call that is refused; called for each. */
  readonly refusal: (refused: Refused) => Error
  readonly clock: Clock
  /** Called with the failure that opens it, and with that of each probe. Must not throw. */
  readonly onOpen?: (failure: unknown, isProbe: boolean) => void
  /** Called when it closes. Must not throw. */
  readonly onClose?: () => void
}

/**
 * Stops calling a service that fails. After a number of failures in a row it is open: calls throw at once,
 * and after each pause one call goes through as a probe; one that does not fail closes it. Each call has to
 * end, so it has a deadline of its own.
 */
export class Breaker {
  readonly #options: BreakerOptions
  readonly #circuit: Circuit
  readonly #failures: ConsecutiveBreaker
  readonly #closed: Circuit['state']
  readonly #open: Circuit['state']
  #pause = { beganAt: 0, lengthMs: 0 }
  #lastFailure: unknown
  /** How often it has opened. A call that began before says nothing about the time since. */
  #openings = 0
  /** How often it was answered while closed. */
  #answers = 0
  /** Whether it has opened and not closed since. */
  #isFailing = false

  constructor(options: BreakerOptions) {
    const { failuresInARow, firstPauseMs, longestPauseMs, isFailure } = options
    const cockatiel = loadCockatiel()
    this.#options = options
    this.#closed = cockatiel.CircuitState.Closed
    this.#open = cockatiel.CircuitState.Open
    this.#failures = new cockatiel.ConsecutiveBreaker(failuresInARow)
    const pauses = new cockatiel.ExponentialBackoff({
      generator: cockatiel.halfJitterGenerator,
      initialDelay: firstPauseMs,
      maxDelay: longestPauseMs,
    })
    this.#circuit = cockatiel.circuitBreaker(cockatiel.handleWhen(isFailure), {
      breaker: this.#failures,
      halfOpenAfter: { next: () => this.#pauseFrom(pauses) },
    })
    this.#circuit.onBreak((reason) => this.#opened('error' in reason ? reason.error : undefined))
    this.#circuit.onReset(() => this.#closedAgain())
  }

  /** Whether calls are refused, but for probes. */
  get isOpen(): boolean {
    return this.#circuit.state !== this.#closed
  }

  /** Throws the refusal if a call would be refused now: before a call waits for anything else. */
  check(): void {
    const { state } = this.#circuit
    const probeInMs = state === this.#open ? this.#pauseLeftMs() : 0
    if (state === this.#closed || (state === this.#open && probeInMs === 0)) return
    throw this.#options.refusal({ lastFailure: this.#lastFailure, probeInMs })
  }

  /** Makes a call and throws what it throws, or the refusal. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    // While closed, cockatiel is told of failures only: it would count those of calls that began before it
    // opened, have calls wait for a probe instead of refusing them, and take three times as long.
    if (this.#circuit.state !== this.#closed) return this.#probe(call)
    const openings = this.#openings
    const answers = this.#answers
    try {
      const result = await call()
      this.#answered()
      return result
    } catch (error) {
      if (openings === this.#openings) await this.#note(error, answers)
      throw error
    }
  }

  #probe<T>(call: () => Promise<T>): Promise<T> {
    this.check()
    return this.#circuit.execute(call)
  }

  /** Where another call was answered since this one began, it is a part of the service that fails. */
  async #note(error: unknown, answersBefore: number): Promise<void> {
    if (!this.#options.isFailure(error)) return this.#answered()
    if (answersBefore !== this.#answers) return
    await this.#circuit.execute(() => Promise.reject(error)).catch(() => undefined)
  }

  #answered(): void {
    this.#answers += 1
    this.#failures.success()
  }

  #opened(failure: unknown): void {
    this.#lastFailure = failure
    this.#openings += 1
    const isProbe = this.#isFailing
    this.#isFailing = true
    this.#options.onOpen?.(failure, isProbe)
  }

  #closedAgain(): void {
    // Cockatiel does not when a probe ended with an error that is no failure.
    this.#failures.success()
    this.#isFailing = false
    this.#lastFailure = undefined
    this.#options.onClose?.()
  }

  /**
   * Begins the pause after `before`. It is measured here: cockatiel goes by `Date.now`, so it would be too
   * long by as much as the clock is set back.
   */
  #pauseFrom(before: BackoffFactory): Backoff {
    const backoff = before.next(undefined)
    this.#pause = { beganAt: this.#options.clock(), lengthMs: backoff.duration }
    return { duration: Number.NEGATIVE_INFINITY, next: () => this.#pauseFrom(backoff) }
  }

  /** A clock that was set back ends the pause. */
  #pauseLeftMs(): number {
    const passedMs = this.#options.clock() - this.#pause.beganAt
    return passedMs < 0 ? 0 : Math.max(0, this.#pause.lengthMs - passedMs)
  }
}
