import type { Countdown } from '../deadline.js'
import { WeappError } from '../errors.js'

/** The default of how many calls may be in flight at once. */
export const DEFAULT_CONCURRENT_CALLS = 128
/** So many times as many calls as may be in flight may wait for it. */
const WAITING_SHARE = 8
/** One in so many slots is not for those who have taken all others. */
const RESERVED_SHARE = 8
/** How much the duration of a call counts for what calls typically take. */
const WEIGHT = 1 / 8

/** Calls of one app to one API, which hang or slow down at the same time. */
interface Part {
  inFlight: number
  waiting: number
  /** How long calls take that are answered, in milliseconds, the last ones counting most. */
  typicalMs: number | undefined
}

interface Waiting {
  readonly part: Part
  readonly leftMs: Countdown
  readonly handOver: () => void
  readonly refuse: () => void
}

export interface SlotRequest {
  /** What the call is one of. */
  readonly part: string
  /** Ends the wait. */
  readonly signal: AbortSignal
  /** How much time is left for wait and call together. Default: any. */
  readonly leftMs?: Countdown
}

/**
 * Lets a number of calls be in flight at once in this process; 8 times as many may wait for their turn. Calls
 * of one part take seven eighths of both at most, so that others get through while they hang. A call that
 * finds no place, whose signal ends its wait, or that has less time left than such calls take, throws
 * `ERR_WECHAT_BUSY`: nothing has been sent.
 */
export class CallSlots {
  readonly #most: number
  readonly #mostOfPart: number
  readonly #parts = new Map<string, Part>()
  #taken = 0
  /** In order of arrival. */
  readonly #waiting = new Set<Waiting>()

  readonly #now: () => number

  /** `now` is a clock of milliseconds that is never set back. */
  constructor(most: number = DEFAULT_CONCURRENT_CALLS, now = () => performance.now()) {
    this.#most = most
    this.#now = now
    this.#mostOfPart = most - Math.floor(most / RESERVED_SHARE)
  }

  /** Makes the call. One that resolves was answered. */
  async inSlot<T>(request: SlotRequest, call: () => Promise<T>): Promise<T> {
    const part = this.#partOf(request.part)
    if (this.#hasRoomFor(part)) this.#take(part)
    else await this.#slotOfAnother(part, request)
    const beganAt = this.#now()
    try {
      const result = await call()
      const tookMs = this.#now() - beganAt
      part.typicalMs = tookMs * WEIGHT + (part.typicalMs ?? tookMs) * (1 - WEIGHT)
      return result
    } finally {
      part.inFlight -= 1
      this.#taken -= 1
      this.#handOver()
    }
  }

  #partOf(name: string): Part {
    const known = this.#parts.get(name)
    if (known) return known
    const part = { inFlight: 0, waiting: 0, typicalMs: undefined }
    this.#parts.set(name, part)
    return part
  }

  #hasRoomFor(part: Part): boolean {
    return this.#taken < this.#most && part.inFlight < this.#mostOfPart
  }

  #take(part: Part): void {
    part.inFlight += 1
    this.#taken += 1
  }

  #slotOfAnother(part: Part, { signal, leftMs = () => undefined }: SlotRequest): Promise<void> {
    return new Promise((resolve, reject) => {
      const hasNoPlace =
        this.#waiting.size >= WAITING_SHARE * this.#most || part.waiting >= WAITING_SHARE * this.#mostOfPart
      if (signal.aborted || hasNoPlace) return reject(tooMany())
      const leave = () => {
        this.#waiting.delete(waiting)
        part.waiting -= 1
        signal.removeEventListener('abort', refuse)
      }
      const refuse = () => {
        leave()
        reject(tooMany())
      }
      const handOver = () => {
        leave()
        this.#take(part)
        resolve()
      }
      const waiting: Waiting = { part, leftMs, handOver, refuse }
      this.#waiting.add(waiting)
      part.waiting += 1
      signal.addEventListener('abort', refuse, { once: true })
    })
  }

  /** Hands a slot that is free to the first who can use it. */
  #handOver(): void {
    for (const { part, leftMs, handOver, refuse } of this.#waiting) {
      if (!this.#hasRoomFor(part)) continue
      // Sent so late, a call would end by its deadline, and a code be used up for nothing.
      const isTooLate = (leftMs() ?? Number.POSITIVE_INFINITY) < (part.typicalMs ?? 0)
      if (isTooLate) refuse()
      else {
        handOver()
        return
      }
    }
  }
}

function tooMany(): WeappError {
  return new WeappError('ERR_WECHAT_BUSY', 'Too many calls to WeChat are waiting. Please try again.', {
    hint: 'as many calls to WeChat are in flight as wechat.maxConcurrentCalls allows, and others wait',
  })
}
