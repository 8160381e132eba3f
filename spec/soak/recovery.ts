import { NEEDS, type Need } from './operations.js'

/** How long service took to come back after a fault, in milliseconds, by what a request needs. */
export interface Recovered {
  readonly fault: string
  /** The slowest of the app servers; undefined where it had not come back when the next fault began. */
  readonly ms: Readonly<Record<Need, number | undefined>>
}

/** Watches for the first success of each kind of request at each app server after a fault. */
export class Recovery {
  readonly all: Recovered[] = []
  readonly #servers: readonly string[]
  #watch:
    | { readonly fault: string; readonly endedAt: number; readonly firsts: Map<string, number> }
    | undefined
  #isFaultOn = false

  constructor(servers: readonly string[]) {
    this.#servers = servers
  }

  /** Whether no fault is on, and all has come back after the last one. */
  get isCalm(): boolean {
    const awaited = this.#servers.length * NEEDS.length
    return !this.#isFaultOn && (!this.#watch || this.#watch.firsts.size === awaited)
  }

  faultBegins(): void {
    this.#isFaultOn = true
  }

  faultEnds(fault: string, now: number): void {
    this.#isFaultOn = false
    this.#watch = { fault, endedAt: now, firsts: new Map() }
  }

  succeeded(server: string, need: Need, now: number): void {
    if (!this.#watch) return
    const { firsts, endedAt } = this.#watch
    const key = `${server} ${need}`
    if (!firsts.has(key)) firsts.set(key, now - endedAt)
  }

  /** Returns what was seen since the last fault. */
  settle(): Recovered | undefined {
    if (!this.#watch) return undefined
    const { fault, firsts } = this.#watch
    this.#watch = undefined
    const slowest = (need: Need) => {
      const each = this.#servers.map((server) => firsts.get(`${server} ${need}`))
      return each.includes(undefined) ? undefined : Math.max(...(each as number[]))
    }
    const [read, write, login, number] = NEEDS.map(slowest)
    const recovered = { fault, ms: { read, write, login, number } }
    this.all.push(recovered)
    return recovered
  }
}
