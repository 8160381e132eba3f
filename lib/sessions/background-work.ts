/** Work that goes on while nobody waits for it. */
export class BackgroundWork {
  readonly #underWay = new Set<Promise<unknown>>()

  /** Lets work go on. Whoever does it tells the log of its failure. */
  add(work: Promise<unknown>): void {
    const ended = work.catch(() => undefined).finally(() => this.#underWay.delete(ended))
    this.#underWay.add(ended)
  }

  /** Resolves when no work is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }
}
