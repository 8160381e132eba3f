import type { Sandbox } from '../../sandbox/index.js'
import type { KnownSession, KnownUser, Model } from './model.js'
import type { Random } from './random.js'

/** So many are there at least, so that there is always one to act. */
const LEAST_FREE = 200
const MOST_ENDED_OF_USER = 10
const MOST_KEPT = 5_000
const MOST_GONE = 20_000
/** One in so many users leaves after what it did. */
const TURNOVER = 50

/** The users of the soak, and the sessions of those who have left: they live on, or have ended, for good. */
export class Users {
  readonly #sandbox: Sandbox
  readonly #model: Model
  #count = 0
  /** Those for whom nothing is under way. */
  #free: KnownUser[] = []
  #kept: KnownSession[] = []
  #gone: KnownSession[] = []
  #turn = 0

  constructor(sandbox: Sandbox, model: Model) {
    this.#sandbox = sandbox
    this.#model = model
  }

  /** Returns a user who does not rest, a new one where there is none. */
  take(now: number): KnownUser {
    const place = this.#free.findIndex((user) => !rests(user, now))
    const isNew = place < 0 || this.#free.length < LEAST_FREE
    const [user] = isNew ? [] : this.#free.splice(place, 1)
    return user ?? this.#newUser()
  }

  #newUser(): KnownUser {
    this.#count += 1
    const phoneNumber = `13${String(this.#count).padStart(9, '0')}`
    return this.#model.newUser(this.#sandbox.phone({ phoneNumber }), phoneNumber)
  }

  /** The user goes to the end of the queue, or leaves. */
  giveBack(user: KnownUser, now: number): void {
    const ended = user.sessions.filter(({ life }) => life === 'ended')
    const surplus = new Set(ended.slice(0, Math.max(ended.length - MOST_ENDED_OF_USER, 0)))
    if (surplus.size > 0) {
      user.sessions = user.sessions.filter((session) => !surplus.has(session))
      this.#gone.push(...surplus)
    }
    this.#turn += 1
    const isCertain = !rests(user, now) && user.sessions.every(({ life }) => life !== 'open')
    if (isCertain && this.#turn % TURNOVER === 0) this.#retire(user)
    else this.#free.push(user)
    if (this.#kept.length > MOST_KEPT) this.#kept = this.#kept.slice(-MOST_KEPT / 2)
    if (this.#gone.length > MOST_GONE) this.#gone = this.#gone.slice(-MOST_GONE / 2)
  }

  #retire({ sessions }: KnownUser): void {
    for (const session of sessions) (session.life === 'ended' ? this.#gone : this.#kept).push(session)
  }

  /** A session that lives on, of a user who has left; undefined while there is none. */
  kept(random: Random): KnownSession | undefined {
    return this.#kept.length > 0 ? random.of(this.#kept) : undefined
  }

  /** A session that has ended some time ago; undefined while there is none. */
  gone(random: Random): KnownSession | undefined {
    return this.#gone.length > 0 ? random.of(this.#gone) : undefined
  }

  /** All sessions that are still known. */
  all(): KnownSession[] {
    return [...this.#free.flatMap(({ sessions }) => sessions), ...this.#kept, ...this.#gone]
  }
}

function rests({ restsUntil }: KnownUser, now: number): boolean {
  return restsUntil > now
}
