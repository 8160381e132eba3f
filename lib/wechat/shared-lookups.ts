import { type LookupAddress, type LookupOptions, lookup as lookUp } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { withinDeadline } from '../deadline.js'

/** So long an address is of use when DNS fails. */
const KEPT_MS = 10 * 60_000
/** So long DNS is waited for where there is an address already. */
const PATIENCE_MS = 1000
/** Longer than a lookup of Node takes. One that has not ended by then no longer holds up the others. */
const MOST_MS = 60_000

interface Found {
  readonly address: string | LookupAddress[]
  readonly family: number | undefined
}

interface Kept extends Found {
  readonly at: number
}

interface SharedLookupsParts {
  /** Default: `lookup` of `node:dns`. */
  readonly lookUp?: LookupFunction
  /** A clock of milliseconds that is never set back. Default: `performance.now`. */
  readonly now?: () => number
  /** Default 1000. */
  readonly patienceMs?: number
  /** How long a lookup may take. Default 60,000. */
  readonly mostMs?: number
}

/**
 * Looks names up for all who ask at the same time, one name at a time. Node has two threads for lookups in
 * all of a process, half of `UV_THREADPOOL_SIZE`, and one that gets no reply takes ten seconds and more. So
 * the other thread is left to the client of Redis.
 */
export class SharedLookups {
  readonly #lookUp: LookupFunction
  readonly #now: () => number
  readonly #patienceMs: number
  readonly #mostMs: number
  readonly #underWay = new Map<string, Promise<Found>>()
  readonly #kept = new Map<string, Kept>()
  /** Ends with the last lookup that was begun. */
  #last: Promise<unknown> = Promise.resolve()

  constructor({
    lookUp: given,
    now = () => performance.now(),
    patienceMs = PATIENCE_MS,
    mostMs = MOST_MS,
  }: SharedLookupsParts = {}) {
    // Read at each call, as an application may replace it.
    this.#lookUp = given ?? ((hostname, options, callback) => lookUp(hostname, options, callback))
    this.#now = now
    this.#patienceMs = patienceMs
    this.#mostMs = mostMs
  }

  /** Looks a name up, for `net.connect`. */
  readonly fresh: LookupFunction = (hostname, options, callback) => {
    tell(this.#shared(keyOf(hostname, options), hostname, options), callback)
  }

  /**
   * The same, but for ten minutes the last addresses do when DNS fails or is slow. For connections that prove
   * whom they lead to: the addresses may be those of others by then.
   */
  readonly orKept: LookupFunction = (hostname, options, callback) => {
    const key = keyOf(hostname, options)
    const found = this.#shared(key, hostname, options)
    const kept = this.#kept.get(key)
    if (!kept || this.#now() - kept.at > KEPT_MS) return tell(found, callback)
    const timely = withinDeadline(found, this.#patienceMs, () => new Error('timeout'))
    tell(
      timely.catch(() => kept),
      callback,
    )
  }

  #shared(key: string, hostname: string, options: LookupOptions): Promise<Found> {
    const running = this.#underWay.get(key)
    if (running) return running
    const found = this.#last
      .then(() => this.#ask(hostname, options))
      .then((result) => {
        this.#kept.set(key, { ...result, at: this.#now() })
        return result
      })
      .finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, found)
    this.#last = found.catch(() => undefined)
    return found
  }

  #ask(hostname: string, options: LookupOptions): Promise<Found> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(failure('ETIMEOUT', hostname)), this.#mostMs).unref()
      this.#lookUp(hostname, options, (error, address, family) => {
        clearTimeout(timer)
        if (error) reject(error)
        // Node throws where there is none, and nobody could catch that.
        else if (address.length === 0) reject(failure('ENOTFOUND', hostname))
        else resolve({ address, family })
      })
    })
  }
}

/** Those of this process, as the threads are. */
export const sharedLookups = new SharedLookups()

function tell(found: Promise<Found>, callback: Parameters<LookupFunction>[2]): void {
  found.then(
    ({ address, family }) => callback(null, address, family),
    (error: NodeJS.ErrnoException) => callback(error, ''),
  )
}

function failure(code: string, hostname: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code })
}

function keyOf(hostname: string, options: LookupOptions): string {
  return JSON.stringify([hostname, options])
}
