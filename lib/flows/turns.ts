/** Lets work with the same key be done one after the other; whoever comes waits for those who came before, however they end. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  async inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const turn = before === undefined ? work() : before.then(work, work)
    this.#last.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    }
  }
}
