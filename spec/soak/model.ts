import type { Phone } from '../../sandbox/index.js'

/** What a write that nobody acknowledged leaves open: the value of before, or that of the write. */
export class Uncertain<Value> {
  #may: Value[]

  constructor(value: Value) {
    this.#may = [value]
  }

  acknowledged(value: Value): void {
    this.#may = [value]
  }

  attempted(value: Value): void {
    this.#may.push(value)
  }

  /** Whether it can be this value; if so, it is known from then on. */
  isSeenAs(value: Value): boolean {
    if (!this.#may.includes(value)) return false
    this.#may = [value]
    return true
  }

  copy(): Uncertain<Value> {
    const copy = new Uncertain<Value>(this.last)
    copy.#may = [...this.#may]
    return copy
  }

  get last(): Value {
    return this.#may.at(-1) as Value
  }
}

/** `open`: its end was asked for, and nobody said whether it came. */
export type Life = 'alive' | 'ended' | 'open'

/** A session whose token a phone was given. */
export interface KnownSession {
  readonly token: string
  readonly user: KnownUser
  /** Its id, once it was told. */
  id: string | undefined
  life: Life
  /** The last that was done about it, for who looks into a finding. */
  last: string
  /** What the route of the app has kept in it. */
  readonly data: Uncertain<number | undefined>
}

/** A user, and what an app server has acknowledged of it. One request is under way for a user at a time. */
export interface KnownUser {
  readonly phone: Phone
  readonly phoneNumber: string
  readonly nickName: Uncertain<string | null>
  sessions: KnownSession[]
  /** Logins that were not answered: each may have left a session of which only lists tell. */
  unknownSessions: number
  /** Until then it sends nothing: what was asked and not answered is done by then, or never. */
  restsUntil: number
}

export interface Finding {
  readonly kind: 'lost' | 'revived' | 'wrong'
  readonly what: string
}

/** Longer than the deadline of a call to the store, and than the slow network of a fault. */
const REST_MS = 5_000

/** Judges what app servers say of sessions by what they acknowledged. */
export class Model {
  readonly #onFinding: (finding: Finding) => void

  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding
  }

  newUser(phone: Phone, phoneNumber: string): KnownUser {
    return {
      phone,
      phoneNumber,
      nickName: new Uncertain<string | null>(null),
      sessions: [],
      unknownSessions: 0,
      restsUntil: 0,
    }
  }

  /** A phone was given a token; after a renewal the data are those of before. */
  loggedIn(user: KnownUser, token: string, data = new Uncertain<number | undefined>(undefined)): void {
    user.sessions.push({ token, user, id: undefined, life: 'alive', last: 'login', data })
  }

  /** Notes that a write of this user was not answered. */
  unanswered(user: KnownUser, now: number): void {
    user.restsUntil = now + REST_MS
  }

  ended(session: KnownSession, how: string): void {
    session.life = 'ended'
    session.last = how
  }

  mayHaveEnded(session: KnownSession, how: string): void {
    if (session.life === 'ended') return
    session.life = 'open'
    session.last = `${how}, not answered`
  }

  /** An app server has accepted the token, or named the session in a list. */
  accepted(session: KnownSession, where: string): void {
    if (session.life === 'ended')
      this.#onFinding({ kind: 'revived', what: `${where}, after: ${session.last}` })
    session.life = 'alive'
  }

  /** An app server has refused the token as one that it does not know, or left the session out of a list. */
  refused(session: KnownSession, where: string): void {
    if (session.life === 'alive') this.#onFinding({ kind: 'lost', what: `${where}, after: ${session.last}` })
    if (session.life !== 'ended') this.ended(session, `${session.last}; then refused`)
  }

  wrong(what: string): void {
    this.#onFinding({ kind: 'wrong', what })
  }
}
