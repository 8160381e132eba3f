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
    this.#next ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      this.#next = undefined
      return this.#work()
    })
    return this.#next
  }
}
