import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'

/** Runs work of one name in turn. Work whose turn does not come within `patienceMs` is not begun. */
export class Turns {
  readonly #patienceMs: number
  /** By name: resolves when all work so far has ended. */
  readonly #ends = new Map<string, Promise<void>>()

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  async inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#ends.get(name) ?? Promise.resolve()
    const turn = withinDeadline(before, this.#patienceMs, tooLate).then(work)
    // When this turn is given up, those before it may still run, and whoever comes later waits for them, too.
    const end = Promise.allSettled([before, turn]).then(() => {
      if (this.#ends.get(name) === end) this.#ends.delete(name)
    })
    this.#ends.set(name, end)
    return turn
  }
}

function tooLate(): WeappError {
  return new WeappError(
    'ERR_STORE_UNAVAILABLE',
    'Too many requests of this user are waiting. Please try again.',
  )
}
