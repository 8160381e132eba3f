/** An entry until its end, in milliseconds since 1970. */
export interface Expiring<Value> {
  readonly value: Value
  readonly endsAt: number
}

/** A map whose entries end, and whose oldest entry makes room where there are too many. */
export class ExpiringMap<Value> {
  readonly #entries = new Map<string, Expiring<Value>>()
  readonly #mostEntries: number

  constructor(mostEntries: number) {
    this.#mostEntries = mostEntries
  }

  /** Returns the entry if it has not ended. */
  get(key: string, now: number): Expiring<Value> | undefined {
    const entry = this.#entries.get(key)
    return entry && now < entry.endsAt ? entry : undefined
  }

  set(key: string, value: Value, endsAt: number): void {
    this.#entries.delete(key)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#mostEntries) break
      this.#entries.delete(oldest)
    }
    this.#entries.set(key, { value, endsAt })
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Deletes what has ended. */
  sweep(now: number): void {
    for (const [key, { endsAt }] of this.#entries) if (now >= endsAt) this.#entries.delete(key)
  }
}
