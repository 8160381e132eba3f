import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server, and the requests on them that are not answered yet. */
export class OpenRequests {
  readonly #sockets = new Set<Socket>()
  readonly #responses = new Set<ServerResponse>()
  /** The response that is to close its connection. */
  readonly #lastOnes = new WeakMap<Socket, ServerResponse>()
  #isEnding = false
  #accepted = 0

  /** Sees the connections that come from now on. */
  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#accepted += 1
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    // In front of the application, which may respond at once.
    server.prependListener('request', (_req, res: ServerResponse) => {
      this.#responses.add(res)
      res.once('close', () => this.#responses.delete(res))
      if (this.#isEnding) this.#closeAfter(res)
    })
  }

  /** How many requests are not answered. */
  get count(): number {
    return this.#responses.size
  }

  /** How many connections have been accepted. */
  get accepted(): number {
    return this.#accepted
  }

  /** Has each connection end with the response to the last request that has come on it. */
  endAfterResponses(): void {
    this.#isEnding = true
    for (const res of this.#responses) this.#closeAfter(res)
  }

  /** Destroys all connections, also those that were upgraded. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** A client that sends requests without waiting has to get the responses to all of them. */
  #closeAfter(res: ServerResponse): void {
    const { socket } = res.req
    const earlier = this.#lastOnes.get(socket)
    if (earlier && !earlier.headersSent) earlier.removeHeader('Connection')
    this.#lastOnes.set(socket, res)
    if (!res.headersSent) res.setHeader('Connection', 'close')
  }
}
