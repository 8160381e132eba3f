import type * as cockatiel from 'cockatiel'

/** Loads cockatiel. */
declare function loadCockatiel(): typeof cockatiel

declare namespace loadCockatiel {
  /** The state machine of a breaker: closed, open, half-open. */
  export type Circuit = cockatiel.CircuitBreakerPolicy
  /** Counts failures in a row. */
  export type ConsecutiveBreaker = cockatiel.ConsecutiveBreaker
  /** A pause, and the next one. */
  export type Backoff = cockatiel.IBackoff<unknown>
  /** Makes the first pause. */
  export type BackoffFactory = cockatiel.IBackoffFactory<unknown>
}

export = loadCockatiel
