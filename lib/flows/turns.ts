import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'

/**
 * Lets work with the same key be done one after the other. Whoever comes waits for those before, but no longer than `patienceMs`: work
 * whose turn does not come in time is not begun.
 */
export class Turns {
  readonly #patienceMs: number
  /** By key: resolves when all that has come so far has ended. */
  readonly #ends = new Map<string, Promise<void>>()

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** Throws `ERR_STORE_UNAVAILABLE` when the turn does not come in time. */
  async inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(key) ?? Promise.resolve()
    const turn = withinDeadline(before, this.#patienceMs, tooLate).then(work)
    // Also when this turn is given up, those before it may go on: who comes later waits for them as well.
    const end = Promise.allSettled([before, turn]).then(() => {
      if (this.#ends.get(key) === end) this.#ends.delete(key)
    })
    this.#ends.set(key, end)
    return turn
  }
}

function tooLate(): WeappError {
  return new WeappError(
    'ERR_STORE_UNAVAILABLE',
    'Too much of this user is waiting at the moment. Please try again.',
  )
}
