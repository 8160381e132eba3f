import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { inCrowds } from '../support/crowds.js'
import { until } from '../support/until.js'

/** Longer than the deadlines of all calls to the store that a request makes. */
const MOST_WAIT_MS = 8000
/** Between two requests of one worker. */
const PAUSE_MS = 15
/** So many users are asked for between two logins. */
const VISITS = 6

/** `open`: its end was asked for, and nobody said whether it came. */
type Life = 'alive' | 'ended' | 'open'

interface KnownSession {
  readonly token: string
  readonly openid: string
  life: Life
}

/** What was answered, by what was asked and the status. */
export type Answers = Readonly<Record<string, number>>

/** Users at an app server, and what it has acknowledged of them. */
export class RedisLoad {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 64 })
  readonly #known: KnownSession[] = []
  #answers: Record<string, number> = {}
  readonly #name = randomUUID()
  #users = 0
  #workers: Promise<void>[] = []
  /** The sessions of each worker. */
  readonly #owned: KnownSession[][] = []
  #isOver = false
  /**
   * What must not be: a session that is lost or revived, an answer that is neither success nor 503, a hang.
   */
  readonly findings = new Set<string>()

  constructor(url: string) {
    this.#url = url
  }

  /**
   * Sends requests, so many at once, and resolves when each kind is under way. Those of one user come in
   * turn.
   */
  async begin(workers: number): Promise<void> {
    this.#isOver = false
    while (this.#owned.length < workers) this.#owned.push([])
    this.#workers = this.#owned.map((own) => this.#work(own))
    const before = this.#known.length
    await until(() => this.#known.length >= before + 2 * workers)
  }

  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#workers)
  }

  close(): void {
    this.#agent.destroy()
  }

  /** What was answered since this was last asked. */
  takeAnswers(): Answers {
    const answers = this.#answers
    this.#answers = {}
    return answers
  }

  /** Waits for an answer of each of these kinds, such as `/login 503`. */
  async answered(kinds: readonly string[]): Promise<void> {
    await until(() => kinds.every((kind) => this.#answers[kind] !== undefined))
  }

  /** Whether a user can log in, is known then, and can log out. */
  async works(): Promise<boolean> {
    const session = await this.#logIn()
    if (!session) return false
    if ((await this.#visit(session)) !== 200) return false
    await this.#endIt(session, 'POST', '/logout')
    return session.life === 'ended'
  }

  /** Asks once more for every session that is known. Returns how many are alive, and how many have ended. */
  async checkAll(): Promise<{ alive: number; ended: number }> {
    await inCrowds(this.#known.length, 16, async (index) => {
      const session = this.#known[index]
      if (session && (await this.#visit(session)) === 503) this.findings.add('503 when all should work')
    })
    const count = (life: Life) => this.#known.filter((session) => session.life === life).length
    return { alive: count('alive'), ended: count('ended') }
  }

  async #work(own: KnownSession[]): Promise<void> {
    while (!this.#isOver) {
      const session = await this.#logIn()
      if (session) own.push(session)
      for (let visits = 0; visits < VISITS && !this.#isOver; visits += 1) {
        const visited = own[Math.floor(Math.random() * own.length)]
        if (visited) await this.#visit(visited)
        await delay(PAUSE_MS)
      }
      const last = own.find(({ life }) => life === 'alive')
      if (last && own.length % 2 === 0) await this.#endIt(last, 'POST', '/logout')
      if (last && own.length % 5 === 0) await this.#endIt(last, 'DELETE', '/user')
    }
  }

  async #logIn(): Promise<KnownSession | undefined> {
    this.#users += 1
    const openid = `${this.#name}-${this.#users}`
    const { status, body } = await this.#ask('POST', '/login', { body: { code: openid } })
    if (status !== 200) {
      if (status !== 503) this.findings.add(`a login was answered with ${status} ${body.code}`)
      return undefined
    }
    const session: KnownSession = { token: String(body.token), openid, life: 'alive' }
    this.#known.push(session)
    return session
  }

  async #visit(session: KnownSession): Promise<number> {
    const { status, body } = await this.#ask('GET', '/me', { token: session.token })
    if (status === 200) {
      if (session.life === 'ended') this.findings.add('a session was revived')
      if (body.openid !== session.openid) this.findings.add('somebody got the session of another user')
      session.life = 'alive'
    } else if (status === 401) {
      if (session.life === 'alive') this.findings.add('a session was lost')
      session.life = 'ended'
    } else if (status !== 503) {
      this.findings.add(`a visit was answered with ${status} ${body.code}`)
    }
    return status
  }

  async #endIt(session: KnownSession, method: string, path: string): Promise<void> {
    const { status, body } = await this.#ask(method, path, { token: session.token })
    if (status >= 200 && status < 300) session.life = 'ended'
    else if (status === 503 && session.life === 'alive') session.life = 'open'
    else if (status !== 401 && status !== 503) this.findings.add(`${path}: ${status} ${body.code}`)
    if (status === 401 && session.life === 'alive') this.findings.add('a session was lost')
  }

  async #ask(method: string, path: string, { token, body }: { token?: string; body?: object }) {
    const { status, body: answer } = await this.#send(method, path, token, body && JSON.stringify(body))
    const kind = `${path} ${status}`
    this.#answers[kind] = (this.#answers[kind] ?? 0) + 1
    if (status === 503 && answer.code !== 'ERR_STORE_UNAVAILABLE') this.findings.add(`503 ${answer.code}`)
    return { status, body: answer }
  }

  #send(
    method: string,
    path: string,
    token: string | undefined,
    text: string | undefined,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    return new Promise((resolve) => {
      const headers = {
        ...(token !== undefined && { 'x-3rd-session': token }),
        ...(text !== undefined && { 'content-type': 'application/json' }),
      }
      const signal = AbortSignal.timeout(MOST_WAIT_MS)
      const sent = request(`${this.#url}${path}`, { method, headers, agent: this.#agent, signal })
      sent.on('error', (error) => resolve({ status: 0, body: { code: error.name } }))
      sent.on('response', (response) => {
        let received = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          received += chunk
        })
        response.on('error', (error) => resolve({ status: 0, body: { code: error.name } }))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: received === '' ? {} : JSON.parse(received) }),
        )
      })
      sent.end(text)
    })
  }
}
