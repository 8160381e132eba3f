import type { Request, Response } from 'express'
import type { RateLimitRequestHandler, Store } from 'express-rate-limit'
import type { LoginGate } from '../flows/login-gate.js'
import loadRateLimit from './express-rate-limit.cjs'

export interface RateLimiterParts {
  /** Names the policy in the headers. */
  readonly name: string
  readonly limit: number
  readonly windowMs: number
  readonly count: LoginGate['count']
}

/** What the limiter says about one more hit. */
export interface RateLimitHit {
  readonly isOver: boolean
  readonly headers: ReadonlyMap<string, string>
  /** Takes the hit back; does nothing when its window has ended. */
  takeBack(): Promise<void>
}

const SILENT = { warn: () => undefined, error: () => undefined }
const IS_OVER = new Error('the limit is exceeded')

/**
 * express-rate-limit, counting in the session store. `rate-limit-redis` is not used: it needs SCRIPT LOAD and
 * a client of its own, and puts no deadline on what it asks. The library is loaded with the first limiter.
 */
export class RateLimiter {
  readonly #parts: RateLimiterParts
  readonly #middleware: RateLimitRequestHandler

  constructor(parts: RateLimiterParts) {
    const { name, limit, windowMs } = parts
    this.#parts = parts
    this.#middleware = loadRateLimit().rateLimit({
      windowMs,
      limit,
      identifier: name,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      validate: false,
      logger: SILENT,
      keyGenerator: (request) => keyIn(request),
      store: this.#store(),
      handler: (_request, _response, next) => next(IS_OVER),
    })
  }

  /** Counts a hit. Throws `ERR_STORE_UNAVAILABLE`. */
  async hit(key: string): Promise<RateLimitHit> {
    const headers = new Map<string, string>()
    const keep = (name: string, value: string) => void headers.set(name, value)
    // The library needs more of a response than other hosts than Express have.
    const response = { headersSent: false, setHeader: keep, append: keep }
    const isOver = await new Promise<boolean>((resolve, reject) => {
      const next = (error?: unknown) =>
        error === undefined || error === IS_OVER ? resolve(error === IS_OVER) : reject(error)
      this.#middleware({ key } as unknown as Request, response as unknown as Response, next)
    })
    const { windowMs, count } = this.#parts
    const endsAt = performance.now() + 1000 * Number(/t=(\d+)/.exec(headers.get('RateLimit') ?? '')?.[1] ?? 0)
    return {
      isOver,
      headers,
      async takeBack() {
        if (performance.now() < endsAt) await count({ id: key, add: -1, keepMs: windowMs })
      },
    }
  }

  #store(): Store {
    const { windowMs: keepMs, count } = this.#parts
    return {
      async increment(id) {
        const { number, leftMs } = await count({ id, add: 1, keepMs })
        // The library rounds up what is left a little later: of the last millisecond that would be 0 seconds.
        return { totalHits: number, resetTime: new Date(Date.now() + 1000 * Math.ceil(leftMs / 1000)) }
      },
      async decrement(id) {
        await count({ id, add: -1, keepMs })
      },
      async resetKey() {},
    }
  }
}

function keyIn(request: unknown): string {
  return (request as { readonly key: string }).key
}
