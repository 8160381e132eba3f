import type { Clock } from '../clock.js'
import { copyOf, type ErrorCode, WeappError } from '../errors.js'
import { jittered } from '../jitter.js'

/** So many refusals in a row put the brake on where one user alone may have caused them. */
const IN_A_ROW = 3
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 10_000
const ANSWERS: readonly ErrorCode[] = [
  'ERR_CODE_INVALID',
  'ERR_PHONE_CODE_INVALID',
  'ERR_SESSION_KEY_STALE',
  'ERR_USER_BLOCKED',
]

/** WeChat's limits are for an app, and those of a day for each API of its own. */
interface BrakedApi {
  readonly appid: string
  readonly api: string
}

type Wait = 'ERR_WECHAT_RATE_LIMITED' | 'ERR_WECHAT_QUOTA'

/** What is known of an API whose last calls for an app WeChat has refused because of a limit. */
interface Brake {
  readonly refusal: WeappError
  inARow: number
  isOn: boolean
  pauseMs: number
  /** When the next call may go to WeChat, as a probe. */
  probeAt: number
  isProbing: boolean
}

/**
 * Stops calling an API of WeChat for an app that it has told to wait, in this process. While the brake is
 * on, one call at a time is let through as a probe, after a pause of half a second to a second, later of five
 * to ten; the others throw at once what WeChat has answered. By errcode 45011 WeChat may mean the app or a
 * single user: that one takes three refusals in a row. Any other answer to a probe lets the brake go.
 */
export class WaitBrake {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #brakes = new Map<string, Brake>()

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock
    this.#random = random
  }

  /** Makes a call of the API for the app, or throws what WeChat has answered. */
  async through<T>({ appid, api }: BrakedApi, call: () => Promise<T>): Promise<T> {
    const id = `${appid} ${api}`
    const before = this.#brakes.get(id)
    const isBraked = before?.isOn === true
    if (isBraked) this.#begin(before)
    try {
      const result = await call()
      this.#letGo(id, before)
      return result
    } catch (error) {
      if (isWait(error)) this.#pull(id, error)
      else if (isAnswer(error)) this.#letGo(id, before)
      throw error
    } finally {
      if (isBraked) before.isProbing = false
    }
  }

  #begin(brake: Brake): void {
    const now = this.#clock()
    const leftMs = brake.probeAt - now
    // A pause that is longer than it can be began before the clock was set back.
    if (brake.isProbing || (leftMs > 0 && leftMs <= LONGEST_PAUSE_MS)) throw copyOf(brake.refusal)
    brake.isProbing = true
    brake.pauseMs = Math.min(2 * brake.pauseMs, LONGEST_PAUSE_MS)
    brake.probeAt = now + jittered(brake.pauseMs, this.#random)
  }

  #pull(id: string, refusal: WeappError): void {
    const brake = this.#brakes.get(id) ?? newBrake(refusal)
    this.#brakes.set(id, brake)
    brake.inARow += 1
    if (brake.isOn || (refusal.code !== 'ERR_WECHAT_QUOTA' && brake.inARow < IN_A_ROW)) return
    brake.isOn = true
    brake.probeAt = this.#clock() + jittered(brake.pauseMs, this.#random)
  }

  /** A call that began before the brake was on says nothing about it. */
  #letGo(id: string, known: Brake | undefined): void {
    const brake = this.#brakes.get(id)
    if (brake && (brake === known || !brake.isOn)) this.#brakes.delete(id)
  }
}

function newBrake(refusal: WeappError): Brake {
  return { refusal, inARow: 0, isOn: false, pauseMs: FIRST_PAUSE_MS, probeAt: 0, isProbing: false }
}

function isWait(error: unknown): error is WeappError & { code: Wait } {
  return (
    error instanceof WeappError &&
    (error.code === 'ERR_WECHAT_RATE_LIMITED' || error.code === 'ERR_WECHAT_QUOTA')
  )
}

/** Whether WeChat has looked at what was sent. */
function isAnswer(error: unknown): boolean {
  return error instanceof WeappError && ANSWERS.includes(error.code)
}
