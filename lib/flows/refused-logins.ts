import type { Clock } from '../clock.js'
import { withinDeadline } from '../deadline.js'
import { type ErrorCode, WeappError } from '../errors.js'
import type { BackgroundWork } from '../sessions/once.js'
import type { FailureLog } from './failure-log.js'
import { HOOK_TIMEOUT_MS } from './hooks.js'
import { tookTooLong } from './thrown.js'

/** So many calls of the hook may run at once; what is refused meanwhile is only logged. */
const MOST_RUNNING = 1000

/** What `onLoginRefused` gets: never the code or anything else that was sent. */
export interface LoginRefusedEvent {
  /** The app, if it is one of those that log in here. */
  readonly appid: string | undefined
  /** Why it is refused. */
  readonly code: ErrorCode
  /** The client's address, as Express' `trust proxy` tells it; undefined where it is unknown. */
  readonly peer: string | undefined
  /** The path of the route, such as `/v2/login`. */
  readonly mount: string | undefined
  /** By the clock of this process. */
  readonly at: Date
}

/**
 * Called for each login that is refused with a status of 4xx, and for each renewal at a `loginRouter`, after
 * the fact: it changes nothing, and nobody waits for it. What it throws and taking longer than 5 seconds are
 * logged, once a minute. While 1000 calls of it are running, further refusals are not told.
 *
 * @example
 * const onLoginRefused = ({ code, peer }) => metrics.increment('login_refused', { code, peer })
 */
export type OnLoginRefused = (event: LoginRefusedEvent) => unknown

/** Where a login came from, as far as it is known. */
export type LoginSource = Pick<LoginRefusedEvent, 'appid' | 'peer' | 'mount'>

interface RefusedLoginsParts {
  readonly onLoginRefused: OnLoginRefused | undefined
  readonly failureLog: FailureLog
  readonly background: BackgroundWork
  readonly clock: Clock
}

/**
 * Tells the log and the hook of refused logins, of each one once: by the login and not by the error, as an
 * application may throw one and the same error at each login.
 */
export class RefusedLogins {
  readonly #parts: RefusedLoginsParts
  /** How many logins ended with this error that their route has not reported yet. */
  readonly #told = new WeakMap<WeappError, number>()
  #running = 0

  constructor(parts: RefusedLoginsParts) {
    this.#parts = parts
  }

  /** Tells of what `sessions.login` ended with; an error with a status of 5xx is no refusal. Never throws. */
  tell(error: unknown, source: LoginSource): void {
    if (!isRefusal(error)) return
    this.#told.set(error, this.#timesTold(error) + 1)
    this.#tell(error, source)
  }

  /** Tells of what a route ended with, unless `sessions.login` has told of it. Never throws. */
  tellUntold(error: unknown, source: LoginSource): void {
    if (!isRefusal(error)) return
    const times = this.#timesTold(error)
    if (times > 0) this.#told.set(error, times - 1)
    else this.#tell(error, source)
  }

  #timesTold(error: WeappError): number {
    return this.#told.get(error) ?? 0
  }

  #tell(error: WeappError, { appid, peer, mount }: LoginSource): void {
    this.#parts.failureLog.reportRefused(appid, error)
    this.#call({ appid, code: error.code, peer, mount, at: new Date(this.#parts.clock()) })
  }

  #call(event: LoginRefusedEvent): void {
    const { onLoginRefused: hook, background } = this.#parts
    if (!hook) return
    if (this.#running >= MOST_RUNNING) {
      this.#fail(new Error(`${MOST_RUNNING} calls of it are running`))
      return
    }
    this.#running += 1
    const called = Promise.resolve().then(() => hook(event))
    const ended = withinDeadline(called, HOOK_TIMEOUT_MS, () => tookTooLong(HOOK_TIMEOUT_MS))
    background.add(
      ended
        .catch((error: unknown) => this.#fail(error))
        .finally(() => {
          this.#running -= 1
        }),
    )
  }

  #fail(error: unknown): void {
    this.#parts.failureLog.reportHook('onLoginRefused', error)
  }
}

function isRefusal(error: unknown): error is WeappError {
  return error instanceof WeappError && error.status < 500
}
