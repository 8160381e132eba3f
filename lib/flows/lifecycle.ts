import { withinDeadline } from '../deadline.js'
import { WeappError } from '../errors.js'
import type { Logger } from '../logger.js'

/** What goes on when no call is under way any more, such as writes that nobody waits for. */
export interface Work {
  /** Resolves when nothing of it is left. */
  idle(): Promise<void>
}

interface LifecycleParts {
  readonly works: readonly Work[]
  /** How long `close` waits for calls and works, in milliseconds. */
  readonly patienceMs: number
  /** Releases what the sessions have opened. */
  readonly release: () => Promise<void>
  readonly logger: Logger
}

/**
 * The life of sessions. While they are closing they work as before, as requests that were sent are still to
 * be answered; once they are closed, every call is `ERR_SESSIONS_CLOSED`.
 */
export class Lifecycle {
  readonly #parts: LifecycleParts
  readonly #calls = new UnderWay()
  readonly #servers = new UnderWay()
  #isClosing = false
  #isClosed = false
  #closed: Promise<void> | undefined

  constructor(parts: LifecycleParts) {
    this.#parts = parts
  }

  /** Whether the end has been announced. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Makes a call, for which `close` waits. Throws `ERR_SESSIONS_CLOSED`. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw sessionsClosed()
    this.#calls.begin()
    try {
      return await call()
    } finally {
      this.#calls.end()
    }
  }

  /**
   * Announces the end while a server answers its last requests, so that health checks turn new ones away.
   * `close` waits for all such servers first.
   */
  async whileEnding(server: () => Promise<void>): Promise<void> {
    this.#isClosing = true
    this.#servers.begin()
    try {
      await server()
    } finally {
      this.#servers.end()
    }
  }

  /** Returns the same promise each time. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** Resolves when nothing is under way: calls begin works, and a work such as a hook may make a call. */
  async idle(): Promise<void> {
    do {
      await this.#calls.ended()
      for (const work of this.#parts.works) await work.idle()
    } while (this.#calls.count > 0 && !this.#isClosed)
  }

  async #close(): Promise<void> {
    const { patienceMs, release, logger } = this.#parts
    this.#isClosing = true
    // A server may be told to end right after the sessions are.
    do {
      // Servers have a deadline of their own.
      await this.#servers.ended()
      await withinDeadline(this.idle(), patienceMs, () => new Error('timeout')).catch(() => {
        const calls = `calls under way: ${this.#calls.count}`
        logger.warn(`sessions were closed after ${patienceMs} ms, though not all had ended; ${calls}`)
      })
    } while (this.#servers.count > 0)
    this.#isClosed = true
    await release()
  }
}

/** Counts what is under way, and tells when nothing is. */
class UnderWay {
  #count = 0
  readonly #waiting: (() => void)[] = []

  get count(): number {
    return this.#count
  }

  begin(): void {
    this.#count += 1
  }

  end(): void {
    this.#count -= 1
    if (this.#count === 0) for (const tell of this.#waiting.splice(0)) tell()
  }

  async ended(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

export function sessionsClosed(): WeappError {
  return new WeappError('ERR_SESSIONS_CLOSED', 'This server is shutting down. Please try again.')
}
