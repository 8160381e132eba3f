import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'

/** Lets work with the same key be done one after the other. Whoever comes waits for those before, but no longer than `patienceMs`. */
export class Turns {
  readonly #patienceMs: number
  readonly #last = new Map<string, Promise<unknown>>()

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** Throws `ERR_STORE_UNAVAILABLE` when the turn does not come in time. */
  async inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const turn = before === undefined ? work() : this.#after(before, work)
    this.#last.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    }
  }

  async #after<T>(before: Promise<unknown>, work: () => Promise<T>): Promise<T> {
    const ended = before.then(
      () => undefined,
      () => undefined,
    )
    await withinDeadline(ended, this.#patienceMs, tooLate)
    return work()
  }
}

function tooLate(): WeappError {
  return new WeappError(
    'ERR_STORE_UNAVAILABLE',
    'Too much of this user is waiting at the moment. Please try again.',
  )
}
