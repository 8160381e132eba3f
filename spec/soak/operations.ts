import type { Answer, Asked } from './http-client.js'
import type { KnownSession, KnownUser, Model, Uncertain } from './model.js'

/** What a request needs: Redis for a read, Redis for a write, or WeChat as well, for a number with an access token. */
export const NEEDS = ['read', 'write', 'login', 'number'] as const
export type Need = (typeof NEEDS)[number]

/** `ended`: there is no such session. `not now`: said as it has to be. `unanswered`: the connection broke. */
export type Outcome = 'done' | 'ended' | 'not now' | 'unanswered' | 'wrong'

/** Sends a request to one of the app servers. */
export type Send = (asked: Asked, need: Need | 'nothing') => Promise<Answer>

export interface Parts {
  readonly model: Model
  readonly send: Send
  /** Milliseconds, from any beginning. */
  readonly now: () => number
}

/** Responses that say "not now", to requests that need no WeChat and to those that do. */
const STORE_NOT_NOW: readonly string[] = ['503 ERR_STORE_UNAVAILABLE']
const WECHAT_NOT_NOW: readonly string[] = [
  ...STORE_NOT_NOW,
  '503 ERR_WECHAT_BUSY',
  '503 ERR_WECHAT_NO_ANSWER',
  '503 ERR_WECHAT_UNREACHABLE',
  '503 ERR_WECHAT_QUOTA',
  '502 ERR_WECHAT_ANSWER_INVALID',
  '429 ERR_WECHAT_RATE_LIMITED',
]
const NOT_NOW: Readonly<Record<Need | 'nothing', readonly string[]>> = {
  nothing: [],
  read: STORE_NOT_NOW,
  write: STORE_NOT_NOW,
  login: WECHAT_NOT_NOW,
  number: [...WECHAT_NOT_NOW, '503 ERR_ACCESS_TOKEN_UNAVAILABLE'],
}

const OPERATOR = { 'x-operator': 'soak' }

/** What users and operators do. Each does one request, and tells the model what came of it. */
export class Operations {
  readonly #model: Model
  readonly #send: Send
  readonly #now: () => number
  #count = 0

  constructor({ model, send, now }: Parts) {
    this.#model = model
    this.#send = send
    this.#now = now
  }

  async logIn(user: KnownUser): Promise<Outcome> {
    const { code } = await user.phone.wx.login()
    const asked: Asked = { method: 'POST', path: '/login', body: { code } }
    const { outcome, body } = await this.#ask(asked, 'login')
    if (outcome === 'done') {
      this.#model.loggedIn(user, String(body.token))
      return this.#seen(user, 'POST /login', nameIn(body.userInfo))
    }
    this.#mayHaveLoggedIn(user)
    return outcome
  }

  async renew(session: KnownSession): Promise<Outcome> {
    const { user } = session
    const { code } = await user.phone.wx.login()
    const asked: Asked = { ...as(session, 'POST', '/session/renewal'), body: { code } }
    const { outcome, body } = await this.#ask(asked, 'login', session)
    if (outcome === 'done') {
      this.#model.loggedIn(user, String(body.token), session.data.copy())
      this.#model.ended(session, 'renewal')
      return this.#seen(user, 'a renewal', nameIn(body.userInfo))
    }
    if (outcome !== 'ended') {
      this.#model.mayHaveEnded(session, 'renewal')
      this.#mayHaveLoggedIn(user)
    }
    return outcome
  }

  async visit(session: KnownSession): Promise<Outcome> {
    const { outcome, body } = await this.#ask(as(session, 'GET', '/me'), 'read', session)
    if (outcome !== 'done') return outcome
    const { user } = session
    session.id ??= String(body.sessionId)
    const n = (body.data as { n?: number } | null | undefined)?.n
    const wrong =
      (body.openid !== user.phone.openid && 'another user') ||
      (body.sessionId !== session.id && 'another session') ||
      (!session.data.isSeenAs(n) && `data ${n}, not ${session.data.last}`)
    return wrong ? this.#wrong(`GET /me shows ${wrong}`) : this.#seen(user, 'GET /me', body.nickName)
  }

  /** Asks with a token that has ended, or that nobody was given. */
  async trespass(token: string, session?: KnownSession): Promise<Outcome> {
    const asked: Asked = { method: 'GET', path: '/me', headers: { 'x-3rd-session': token } }
    const { outcome } = await this.#ask(asked, 'read', session)
    if (outcome === 'done' && !session) return this.#wrong('a token that was never given is accepted')
    return outcome
  }

  async logOut(session: KnownSession): Promise<Outcome> {
    const { outcome } = await this.#ask(as(session, 'POST', '/logout'), 'write')
    if (outcome === 'done') this.#model.ended(session, 'logout')
    else this.#mayHaveEnded(session, 'logout')
    return outcome
  }

  /** Has the user tap the phone number button. */
  async askNumber(session: KnownSession): Promise<Outcome> {
    const { phone, phoneNumber } = session.user
    const { code } = await phone.getPhoneNumber()
    const asked: Asked = { ...as(session, 'POST', '/session/phone-number'), body: { code } }
    const { outcome, body } = await this.#ask(asked, 'number', session)
    if (outcome !== 'done' || body.phoneNumber === phoneNumber) return outcome
    return this.#wrong(`a phone number is ${body.phoneNumber}, not ${phoneNumber}`)
  }

  async revokeUser(user: KnownUser): Promise<Outcome> {
    const { appid, openid } = user.phone
    const asked: Asked = {
      method: 'POST',
      path: '/admin/users/revoke',
      headers: OPERATOR,
      body: { appid, openid },
    }
    const { outcome, body } = await this.#ask(asked, 'write')
    const living = user.sessions.filter(({ life }) => life !== 'ended')
    if (outcome !== 'done') {
      for (const session of living) this.#mayHaveEnded(session, 'revokeUser')
      return outcome
    }
    const { least, most } = mayLive(user)
    for (const session of living) this.#model.ended(session, 'revokeUser')
    user.unknownSessions = 0
    const revoked = Number(body.revoked)
    if (revoked >= least && revoked <= most) return outcome
    return this.#wrong(`revokeUser ended ${body.revoked} sessions, where there were ${least} to ${most}`)
  }

  async setData(session: KnownSession): Promise<Outcome> {
    this.#count += 1
    const n = this.#count
    const asked: Asked = { ...as(session, 'PUT', '/data'), body: { n } }
    const { outcome, body } = await this.#ask(asked, 'write', session)
    this.#noteWrite(outcome, session, session.data, n)
    if (outcome !== 'done') return outcome
    const { user } = session
    if (body.openid !== user.phone.openid) return this.#wrong('PUT /data shows another user')
    return this.#seen(user, 'PUT /data', body.nickName)
  }

  async setProfile(session: KnownSession): Promise<Outcome> {
    this.#count += 1
    const nickName = `user ${this.#count}`
    const body = { userInfo: { nickName } }
    const asked: Asked = { ...as(session, 'PUT', '/session/user-info'), body }
    const { outcome } = await this.#ask(asked, 'write', session)
    return this.#noteWrite(outcome, session, session.user.nickName, nickName)
  }

  async list(session: KnownSession): Promise<Outcome> {
    const { outcome, body } = await this.#ask(as(session, 'GET', '/sessions'), 'read', session)
    if (outcome !== 'done') return outcome
    const ids = new Set((body.sessions as { id: string }[]).map(({ id }) => id))
    for (const known of session.user.sessions) {
      if (known.id === undefined) continue
      if (ids.has(known.id)) this.#model.accepted(known, 'GET /sessions')
      else this.#model.refused(known, 'GET /sessions')
    }
    const { least, most } = mayLive(session.user)
    if (ids.size >= least && ids.size <= most) return outcome
    return this.#wrong(`GET /sessions lists ${ids.size} sessions, where there were ${least} to ${most}`)
  }

  /** Gets a token for another service, and shows it there. */
  async callService(session: KnownSession): Promise<Outcome> {
    const { outcome, body } = await this.#ask(as(session, 'POST', '/token'), 'read', session)
    if (outcome !== 'done') return outcome
    const headers = { authorization: `Bearer ${body.token}` }
    const shown = await this.#ask({ method: 'GET', path: '/orders', headers }, 'nothing')
    if (shown.outcome === 'done' && !session.token.startsWith(String(shown.body.sub)))
      return this.#wrong('a service token names another user')
    return shown.outcome
  }

  /**
   * Sends a request, and judges the response. With a session it may say that there is none: the model knows
   * whether that is right.
   */
  async #ask(
    asked: Asked,
    need: Need | 'nothing',
    session?: KnownSession,
  ): Promise<{ outcome: Outcome; body: Record<string, unknown> }> {
    const answer = await this.#send(asked, need)
    if (answer.kind === 'broken connection') return { outcome: 'unanswered', body: {} }
    const where = `${asked.method} ${asked.path}`
    if (answer.kind === 'hang') return { outcome: this.#wrong(`${where} is not answered`), body: {} }
    const { status, body } = answer
    if (status >= 200 && status < 300) {
      if (session) this.#model.accepted(session, where)
      return { outcome: 'done', body }
    }
    const said = `${status} ${body.code}`
    if (NOT_NOW[need].includes(said)) return { outcome: 'not now', body }
    if (said === '401 ERR_SESSION_UNKNOWN' && asked.headers?.['x-3rd-session'] !== undefined) {
      if (session) this.#model.refused(session, where)
      return { outcome: 'ended', body }
    }
    return { outcome: this.#wrong(`${where} is answered with ${said} ${body.detail ?? ''}`), body }
  }

  #mayHaveLoggedIn(user: KnownUser): void {
    user.unknownSessions += 1
    this.#model.unanswered(user, this.#now())
  }

  #mayHaveEnded(session: KnownSession, how: string): void {
    this.#model.mayHaveEnded(session, how)
    this.#model.unanswered(session.user, this.#now())
  }

  #noteWrite<Value>(
    outcome: Outcome,
    { user }: KnownSession,
    known: Uncertain<Value>,
    value: Value,
  ): Outcome {
    if (outcome === 'done') known.acknowledged(value)
    else if (outcome !== 'ended') {
      known.attempted(value)
      this.#model.unanswered(user, this.#now())
    }
    return outcome
  }

  /** Judges the name of a user that a response shows. */
  #seen({ nickName }: KnownUser, where: string, shown: unknown): Outcome {
    if (nickName.isSeenAs(shown as string | null)) return 'done'
    return this.#wrong(`${where} shows the name ${shown}, not ${nickName.last}`)
  }

  #wrong(what: string): 'wrong' {
    this.#model.wrong(what)
    return 'wrong'
  }
}

/** How many sessions a user may have. */
function mayLive({ sessions, unknownSessions }: KnownUser): { least: number; most: number } {
  const [alive, open] = (['alive', 'open'] as const).map((asked) =>
    sessions.filter(({ life }) => life === asked),
  )
  const least = alive?.length ?? 0
  return { least, most: least + (open?.length ?? 0) + unknownSessions }
}

function nameIn(userInfo: unknown): unknown {
  return (userInfo as { nickName?: string } | null | undefined)?.nickName ?? null
}

function as(session: KnownSession, method: Asked['method'], path: string): Asked {
  return { method, path, headers: { 'x-3rd-session': session.token } }
}
