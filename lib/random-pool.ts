import { randomFillSync } from 'node:crypto'

const POOL_BYTES = 1024

/**
 * Random bytes that are no secret, such as nonces. They are fetched by the kilobyte: to fetch twelve takes
 * longer than to encrypt with them. No byte is given twice. Secrets are not to lie here until they are used.
 */
export class RandomPool {
  readonly #pool = Buffer.alloc(POOL_BYTES)
  #used = POOL_BYTES

  /** Returns up to 1024 bytes. */
  take(count: number): Buffer {
    if (this.#used + count > POOL_BYTES) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    const begin = this.#used
    this.#used += count
    return Buffer.from(this.#pool.subarray(begin, this.#used))
  }
}
