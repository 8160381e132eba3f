const REMEMBERED_CALLS = 10_000

/** One request that reached the sandbox. */
export interface Call {
  method: string
  /** Path without query, such as `/sns/jscode2session`. */
  path: string
  /** Query parameters; of a repeated one, the first. */
  query: Readonly<Record<string, string>>
  /** The text of its body; empty when there was none, or when it was longer than 16 KiB. */
  body: string
  /** When it arrived, in milliseconds of the sandbox's clock. */
  at: number
}

/** The latest requests in full, and how many there were in all. */
export class Calls {
  #latest: Call[] = []
  readonly #counts = new Map<string, number>()

  record(call: Call): void {
    this.#latest.push(call)
    if (this.#latest.length > REMEMBERED_CALLS) this.#latest.shift()
    this.#counts.set(call.path, this.count(call.path) + 1)
  }

  to(path: string): Call[] {
    return this.#latest.filter((call) => call.path === path)
  }

  count(path: string): number {
    return this.#counts.get(path) ?? 0
  }

  clear(): void {
    this.#latest = []
    this.#counts.clear()
  }
}
