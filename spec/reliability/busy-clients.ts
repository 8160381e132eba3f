import { Agent, type IncomingHttpHeaders, request } from 'node:http'

/** How a request ended: with a status, or with the code of an error. */
export interface Ending {
  readonly outcome: number | string
  readonly headers: IncomingHttpHeaders
  /** Whether all of the request had been handed to the network before the mark was set. */
  readonly isBeforeMark: boolean
  /** Whether it went out on a connection that had served another one. */
  readonly isOnKept: boolean
}

/** Clients that keep a connection each and ask again as soon as they are answered, until one fails. */
export class BusyClients {
  readonly endings: Ending[] = []
  readonly #agents: Agent[] = []
  #isMarked = false
  #isOver = false

  /** Begins asking; resolves when no client has anything more to ask. */
  async ask(url: string, clients: number, headers: Record<string, string> = {}): Promise<void> {
    const each = Array.from({ length: clients }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      this.#agents.push(agent)
      while (!this.#isOver) {
        const ending = await this.send(url, { agent, headers })
        if (typeof ending.outcome === 'string') return
      }
    })
    await Promise.all(each)
  }

  /** Sends one request. Never rejects. */
  async send(
    url: string,
    { agent, headers = {}, body }: { agent?: Agent; headers?: Record<string, string>; body?: object } = {},
  ): Promise<Ending> {
    let [isBeforeMark, isOnKept] = [false, false]
    const ending = await new Promise<Pick<Ending, 'outcome' | 'headers'>>((resolve) => {
      const fail = (error: NodeJS.ErrnoException) => resolve({ outcome: error.code ?? 'error', headers: {} })
      const outgoing = request(url, { agent, headers, method: body ? 'POST' : 'GET' }, (incoming) => {
        const outcome = incoming.statusCode ?? 0
        incoming.on('error', fail).resume()
        incoming.on('end', () => resolve({ outcome, headers: incoming.headers }))
      })
      outgoing.on('error', fail)
      outgoing.on('socket', () => {
        isOnKept = outgoing.reusedSocket
      })
      outgoing.on('finish', () => {
        isBeforeMark = !this.#isMarked
      })
      outgoing.end(body && JSON.stringify(body))
    })
    const told = { ...ending, isBeforeMark, isOnKept }
    this.endings.push(told)
    return told
  }

  /** Requests that are sent from now on need not be answered. */
  mark(): void {
    this.#isMarked = true
  }

  /** Requests without an answer that were sent before the mark, or on a connection that was open. */
  get lost(): Ending[] {
    return this.endings.filter(
      ({ outcome, isBeforeMark, isOnKept }) => typeof outcome === 'string' && (isBeforeMark || isOnKept),
    )
  }

  close(): void {
    this.#isOver = true
    for (const agent of this.#agents) agent.destroy()
  }
}
