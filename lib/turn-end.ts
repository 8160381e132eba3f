/** That of the process: fake timers of a test must not hold up its requests. */
const atTurnEnd = setImmediate

let ending: Promise<void> | undefined

/** Returns a promise that resolves at the end of this turn of the event loop: one for all who ask in it. */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) => {
    atTurnEnd(() => {
      ending = undefined
      resolve()
    })
  })
  return ending
}

/**
 * Does a piece of work at the end of a turn of the event loop, once for all who have asked for it in that
 * turn. Nobody gets the result of work that began before they asked.
 */
export class TurnEnd<T> {
  readonly #work: () => Promise<T>
  #next: Promise<T> | undefined

  constructor(work: () => Promise<T>) {
    this.#work = work
  }

  result(): Promise<T> {
    this.#next ??= endOfTurn().then(() => {
      this.#next = undefined
      return this.#work()
    })
    return this.#next
  }
}
