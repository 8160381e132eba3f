import { WeappError } from '../errors.js'

/** The default of how many calls may be in flight at once. */
export const DEFAULT_CONCURRENT_CALLS = 128
/** So many times as many calls as may be in flight may wait for it. */
const WAITING_SHARE = 8

/**
 * Lets a number of calls be in flight at once in this process; 8 times as many may wait for their turn. A
 * call that finds no place, or whose signal ends its wait, throws `ERR_WECHAT_BUSY`: nothing has been sent.
 */
export class CallSlots {
  readonly #most: number
  #taken = 0
  /** In order of arrival: each hands over a slot. */
  readonly #waiting = new Set<() => void>()

  constructor(most: number = DEFAULT_CONCURRENT_CALLS) {
    this.#most = most
  }

  async inSlot<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    if (this.#taken < this.#most) this.#taken += 1
    else await this.#slotOfAnother(signal)
    try {
      return await call()
    } finally {
      this.#giveBack()
    }
  }

  #slotOfAnother(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted || this.#waiting.size >= WAITING_SHARE * this.#most)
        return reject(tooMany(this.#most))
      const giveUp = () => {
        this.#waiting.delete(handOver)
        reject(tooMany(this.#most))
      }
      const handOver = () => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      this.#waiting.add(handOver)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  #giveBack(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#taken -= 1
      return
    }
    this.#waiting.delete(next)
    next()
  }
}

function tooMany(most: number): WeappError {
  return new WeappError('ERR_WECHAT_BUSY', 'Too many calls to WeChat are waiting. Please try again.', {
    hint: `${most} calls to WeChat are in flight, as many as wechat.maxConcurrentCalls allows, and others wait`,
  })
}
