import { setTimeout as pause } from 'node:timers/promises'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { until } from '../support/until.js'
import type { FailoverAppSettings } from './failover-app.js'
import { FailoverProcess } from './failover-process.js'

const CLIENTS = 6
/** Between two requests of a client: the machine has other things to do. */
const PAUSE_MS = 4
/** By then a service that returns by itself is back, on a machine that has much to do as well. */
const BACK_WITHIN_MS = 40_000
/** A request has deadlines of a few seconds; one without an answer by then is hung. */
const ANSWERED_WITHIN_MS = 15_000
const OWN_HEADER = 'x-3rd-session'

/** What was answered, by the status or, where the connection broke, by 0. */
interface Answered {
  readonly status: number
  readonly token: string
}

/** What it comes to: nothing acknowledged may be lost or undone. */
export interface Damage {
  /** Sessions whose login was answered and that are unknown. */
  readonly lost: number
  /** Sessions whose logout was answered and that are valid. */
  readonly revived: number
  /** Answers that no request may get, with how often they came. */
  readonly wrong: Readonly<Record<string, number>>
}

/** An app server under load, with what every client was told. */
export class FailoverLoad {
  readonly #sandbox: Sandbox
  readonly #app: FailoverProcess
  readonly #alive = new Set<string>()
  readonly #ended = new Set<string>()
  readonly #wrong = new Map<string, number>()
  #isOver = false
  #clients: Promise<unknown> = Promise.resolve()
  /** How many requests were answered with 200 or 204 since somebody asked. */
  #successes = 0

  private constructor(sandbox: Sandbox, app: FailoverProcess) {
    this.#sandbox = sandbox
    this.#app = app
  }

  static async start(
    settings: Pick<FailoverAppSettings, 'redis' | 'waitReplicas' | 'client'>,
  ): Promise<FailoverLoad> {
    const sandbox = await createSandbox()
    const given: FailoverAppSettings = { ...settings, apps: sandbox.apps, wechatUrl: sandbox.url }
    return new FailoverLoad(sandbox, await FailoverProcess.start(given))
  }

  /** Lets clients log in, ask and log out, one request after the other each, until `stop`. */
  begin(): void {
    this.#isOver = false
    this.#clients = Promise.all(Array.from({ length: CLIENTS }, (_, number) => this.#client(number)))
  }

  /** Resolves when so many requests have succeeded from now on, those of logins among them. */
  async serves(requests = 50): Promise<void> {
    this.#successes = 0
    await this.#untilBack(() => this.#successes >= requests)
  }

  /** Ends the load until it begins again, asks for every session there ever was, and counts. */
  async stop(): Promise<Damage> {
    this.#isOver = true
    await this.#clients
    const isValid = async (token: string) => (await this.#settled(token)) === 200
    const validOf = async (tokens: ReadonlySet<string>) => {
      let valid = 0
      for (const token of tokens) if (await isValid(token)) valid += 1
      return valid
    }
    const lost = this.#alive.size - (await validOf(this.#alive))
    return { lost, revived: await validOf(this.#ended), wrong: Object.fromEntries(this.#wrong) }
  }

  async close(): Promise<void> {
    this.#isOver = true
    await this.#clients
    await this.#app.close()
    await this.#sandbox.close()
  }

  /** How many sessions were answered to be there, and to be over. */
  get acknowledged() {
    return { alive: this.#alive.size, ended: this.#ended.size }
  }

  async #client(number: number): Promise<void> {
    const mine: string[] = []
    const gone: string[] = []
    for (let turn = number; !this.#isOver; turn += 1) {
      await pause(PAUSE_MS)
      const [token] = mine
      if (turn % 3 === 0 || token === undefined) await this.#logIn(mine)
      else if (turn % 3 === 1) await this.#ask(mine[turn % mine.length] ?? token, 401)
      else if (turn % 6 === 2 && mine.length > 2) await this.#logOut(mine, gone)
      else if (gone.length > 0) await this.#ask(gone[turn % gone.length] ?? '', 200)
    }
  }

  async #logIn(mine: string[]): Promise<void> {
    const { code } = await this.#sandbox.phone().wx.login()
    const { status, token } = await this.#send('POST', '/login', undefined, { code })
    if (status !== 200) return
    this.#alive.add(token)
    mine.push(token)
  }

  async #logOut(mine: string[], gone: string[]): Promise<void> {
    const token = mine.shift() ?? ''
    // Until it is answered, it may have ended or not.
    this.#alive.delete(token)
    const { status } = await this.#send('POST', '/logout', token)
    if (status !== 204 && status !== 200) return
    this.#ended.add(token)
    gone.push(token)
  }

  async #ask(token: string, wrong: 200 | 401): Promise<void> {
    const { status } = await this.#send('GET', '/me', token)
    if (status !== wrong) return
    const what = wrong === 401 ? 'a live session is refused' : 'an ended session is taken'
    this.#wrong.set(what, (this.#wrong.get(what) ?? 0) + 1)
  }

  /** The status for a token once it is no failure. */
  async #settled(token: string): Promise<number> {
    let status = 0
    await this.#untilBack(async () => {
      const answer = await this.#send('GET', '/me', token)
      status = answer.status
      return status === 200 || status === 401
    })
    return status
  }

  /** Fails with what the app server has logged, which says what holds it up. */
  async #untilBack(isBack: () => boolean | Promise<boolean>): Promise<void> {
    await until(isBack, BACK_WITHIN_MS).catch(() => {
      throw new Error(`the service is not back after ${BACK_WITHIN_MS} ms; its log:\n${this.#app.log}`)
    })
  }

  async #send(method: string, path: string, token?: string, body?: object): Promise<Answered> {
    const headers = {
      ...(token !== undefined && { [OWN_HEADER]: token }),
      ...(body && { 'content-type': 'application/json' }),
    }
    const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS)
    const request = { method, headers, signal, ...(body && { body: JSON.stringify(body) }) }
    const { status, text } = await fetch(`${this.#app.url}${path}`, request)
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => ({ status: 0, text: '' }))
    if (status === 0) this.#wrong.set(`${path} is not answered`, 1)
    else if (status < 300) this.#successes += 1
    else if (status !== 503 && status !== 401) this.#wrong.set(`${path} is answered with ${status}`, 1)
    return { status, token: path === '/login' && status === 200 ? JSON.parse(text).token : '' }
  }
}
