import { Breaker } from '../breaker.js'
import { type Clock, systemClock } from '../clock.js'
import { WeappError } from '../errors.js'
import { RequestTurnedAway } from './transport.js'

/** So many calls in a row that fail open a breaker: fewer may fail by chance when WeChat stumbles. */
const FAILURES_IN_A_ROW = 10
/** Where calls of so many apps fail and none is answered, it is not the apps. */
const FAILING_APPS = 3
const FIRST_PAUSE_MS = 1000
/** At most so long after WeChat works again, a call shows it. */
const LONGEST_PAUSE_MS = 5000
/** A breaker that has not been used for so long says nothing about now. */
const OF_INTEREST_MS = 60_000

/** What fails as one: an API, for an app. */
export interface WechatPart {
  readonly appid: string
  /** The path of the API. */
  readonly path: string
}

interface OwnRules {
  readonly failuresInARow: number
  /** Called with the failure that opens it. */
  readonly onOpen?: (failure: unknown) => void
}

interface InUse {
  readonly breaker: Breaker
  usedAt: number
}

interface WechatBreakersParts {
  readonly clock?: Clock
  /** Told when one opens, and of each probe that fails: what fails, and the line for the log. */
  readonly onOpen?: (what: string, line: string) => void
  /** Told when one closes: what works again, and the line for the log. */
  readonly onClose?: (what: string, line: string) => void
}

/**
 * Breakers of the calls to a host: one for each app and API, as one may fail while others work, and one for
 * all of them. While one is open, calls throw `ERR_WECHAT_UNREACHABLE` at once: nothing is sent, so a login
 * code stays good. A call that WeChat refuses, by an errcode, is no failure.
 */
export class WechatBreakers {
  readonly #parts: WechatBreakersParts
  readonly #clock: Clock
  readonly #ofAll: InUse
  readonly #ofParts = new Map<string, InUse>()
  /** The apps for which a breaker has opened since a call was last answered. */
  readonly #failingApps = new Set<string>()

  constructor(parts: WechatBreakersParts = {}) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    this.#ofAll = { breaker: this.#create('WeChat', '', { failuresInARow: 1 }), usedAt: 0 }
  }

  /** Whether one is open that is still in use: only a call can show that it may close. */
  get isAnyOpen(): boolean {
    const now = this.#clock()
    const all = [this.#ofAll, ...this.#ofParts.values()]
    return all.some(({ breaker, usedAt }) => breaker.isOpen && Math.abs(now - usedAt) < OF_INTEREST_MS)
  }

  isOpen(part: WechatPart): boolean {
    return this.#breakerOf(part).isOpen
  }

  /** Throws the refusal if a call would be refused now. */
  check(part: WechatPart): void {
    this.#breakerOf(part).check()
  }

  /** Makes a call and throws what it throws, or the refusal. */
  async run<T>(part: WechatPart, call: () => Promise<T>): Promise<T> {
    const result = await this.#breakerOf(part).run(call)
    this.#failingApps.clear()
    return result
  }

  #breakerOf({ appid, path }: WechatPart): Breaker {
    const used = this.#ofAll.breaker.isOpen ? this.#ofAll : this.#ofPart(appid, path)
    used.usedAt = this.#clock()
    return used.breaker
  }

  #ofPart(appid: string, path: string): InUse {
    const id = `${appid} ${path}`
    const known = this.#ofParts.get(id) ?? { breaker: this.#createFor(appid, path), usedAt: 0 }
    this.#ofParts.set(id, known)
    return known
  }

  #createFor(appid: string, path: string): Breaker {
    const calls = `calls of ${appid} at ${path}`
    return this.#create(calls, ` for ${calls}`, {
      failuresInARow: FAILURES_IN_A_ROW,
      onOpen: (failure) => this.#opened(appid, failure),
    })
  }

  #opened(appid: string, failure: unknown): void {
    this.#failingApps.add(appid)
    if (this.#failingApps.size < FAILING_APPS || this.#ofAll.breaker.isOpen) return
    this.#failingApps.clear()
    this.#ofAll.usedAt = this.#clock()
    this.#ofAll.breaker.run(() => Promise.reject(failure)).catch(() => undefined)
  }

  #create(what: string, forWhat: string, own: OwnRules): Breaker {
    return new Breaker({
      failuresInARow: own.failuresInARow,
      firstPauseMs: FIRST_PAUSE_MS,
      longestPauseMs: LONGEST_PAUSE_MS,
      clock: this.#clock,
      // Codes that a firewall turns away must not open it. What is no WeappError is a bug.
      isFailure: (error) => error instanceof WeappError && !(error instanceof RequestTurnedAway),
      refusal: ({ lastFailure, probeInMs }) =>
        new WeappError('ERR_WECHAT_UNREACHABLE', 'WeChat is unreachable at the moment. Please try again.', {
          hint: `WeChat is only probed for now: ${whyOf(lastFailure)}`,
          retryAfterSeconds: Math.max(1, Math.ceil(probeInMs / 1000)),
        }),
      onOpen: (failure, isProbe) => {
        const why = whyOf(failure)
        this.#parts.onOpen?.(what, `WeChat fails${forWhat}, so it is only probed for now: ${why}`)
        // Apps that go on failing while others seldom call say nothing new about all of WeChat.
        if (!isProbe) own.onOpen?.(failure)
      },
      onClose: () => this.#parts.onClose?.(what, `WeChat works again${forWhat}`),
    })
  }
}

function whyOf(failure: unknown): string {
  const { code, hint } = failure as WeappError
  return `${FAILURES_IN_A_ROW} calls in a row have failed, the last one with ${code}${hint ? ` (${hint})` : ''}`
}
