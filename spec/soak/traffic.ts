import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, type Asked, HttpClient } from './http-client.js'
import type { KnownSession, KnownUser } from './model.js'
import { type Need, Operations, type Outcome } from './operations.js'
import type { Random } from './random.js'
import type { Recovery } from './recovery.js'
import type { Users } from './users.js'
import type { World } from './world.js'

const WORKERS = 32
const LEAST_PAUSE_MS = 20
const MOST_PAUSE_MS = 250
const MOST_SESSIONS = 5

/** How often something is done, of all that users and operators do. */
const SHARES = {
  visit: 30,
  visitKept: 6,
  trespass: 10,
  inventToken: 2,
  logIn: 12,
  askNumber: 8,
  renew: 6,
  logOut: 6,
  setData: 10,
  setProfile: 5,
  list: 5,
  callService: 5,
  revokeUser: 3,
} as const
type Deed = keyof typeof SHARES
const deeds = (Object.keys(SHARES) as Deed[]).flatMap((deed) => Array<Deed>(SHARES[deed]).fill(deed))

/** Users who do this and that at both app servers, one thing at a time each. */
export class Traffic {
  readonly operations: Operations
  requests = 0
  /** Requests that got "not now" while nothing was wrong. */
  refusedInCalm = 0
  readonly #world: World
  readonly #users: Users
  readonly #random: Random
  readonly #recovery: Recovery
  readonly #client = new HttpClient()
  #workers: Promise<unknown> = Promise.resolve()
  #isOn = false

  constructor(world: World, parts: { users: Users; random: Random; recovery: Recovery }) {
    this.#world = world
    this.#users = parts.users
    this.#random = parts.random
    this.#recovery = parts.recovery
    const send = (asked: Asked, need: Need | 'nothing') => this.#send(asked, need)
    this.operations = new Operations({ model: world.model, send, now: () => performance.now() })
  }

  start(): void {
    this.#isOn = true
    this.#workers = Promise.all(Array.from({ length: WORKERS }, () => this.#work()))
  }

  /** Resolves when nothing is under way, and no connection is open. */
  async stop(): Promise<void> {
    this.#isOn = false
    await this.#workers
    this.#client.close()
  }

  async #work(): Promise<void> {
    while (this.#isOn) {
      const user = this.#users.take(performance.now())
      const wasCalm = this.#recovery.isCalm
      const outcome = await this.#act(user)
      this.#users.giveBack(user, performance.now())
      if (outcome === 'not now' && wasCalm && this.#recovery.isCalm) this.refusedInCalm += 1
      await delay(this.#random.between(LEAST_PAUSE_MS, MOST_PAUSE_MS))
    }
  }

  #act(user: KnownUser): Promise<Outcome> {
    const { operations } = this
    const living = user.sessions.filter(({ life }) => life !== 'ended')
    const ended = user.sessions.filter(({ life }) => life === 'ended')
    if (living.length === 0) return operations.logIn(user)
    const session = this.#random.of(living)
    switch (this.#random.of(deeds)) {
      case 'visitKept':
        return operations.visit(this.#users.kept(this.#random) ?? session)
      case 'trespass':
        return this.#trespass(this.#random.of([...ended, this.#users.gone(this.#random) ?? session]))
      case 'inventToken':
        return operations.trespass(invented(session.token, this.#random))
      case 'logIn':
        return living.length < MOST_SESSIONS ? operations.logIn(user) : operations.logOut(session)
      case 'askNumber':
        return operations.askNumber(session)
      case 'renew':
        return operations.renew(session)
      case 'logOut':
        return operations.logOut(session)
      case 'setData':
        return operations.setData(session)
      case 'setProfile':
        return operations.setProfile(session)
      case 'list':
        return operations.list(session)
      case 'callService':
        return operations.callService(session)
      case 'revokeUser':
        return operations.revokeUser(user)
      default:
        return operations.visit(session)
    }
  }

  #trespass(session: KnownSession): Promise<Outcome> {
    return this.operations.trespass(session.token, session)
  }

  async #send(asked: Asked, need: Need | 'nothing'): Promise<Answer> {
    const server = this.#random.of(this.#world.servers)
    const { url } = server
    this.requests += 1
    const answer = await this.#client.ask(url, asked)
    if (answer.kind === 'broken connection' && server.hasToAnswerAt(url))
      this.#world.model.wrong(`${asked.method} ${asked.path}: ${server.name} breaks the connection`)
    // To a request that needs WeChat, a refusal may come before WeChat is asked.
    const most = need === 'login' || need === 'number' ? 299 : 499
    const isSuccess = answer.kind === 'response' && answer.status <= most && answer.status !== 429
    if (isSuccess && need !== 'nothing') this.#recovery.succeeded(server.name, need, performance.now())
    return answer
  }
}

/** A token of the right shape, of a user who is there, with another secret. */
function invented(token: string, random: Random): string {
  const place = token.length - 1 - Math.floor(random.next() * 20)
  const other = token[place] === 'A' ? 'B' : 'A'
  return `${token.slice(0, place)}${other}${token.slice(place + 1)}`
}
