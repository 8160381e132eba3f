import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The connections of a server, and the requests on them that are not answered yet. */
export class OpenRequests {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #responses = new Set<ServerResponse>()
  /** The response that is to close its connection. */
  readonly #lastOnes = new WeakMap<Socket, ServerResponse>()
  #isEnding = false
  #accepted = 0
  #quietSince = Number.NEGATIVE_INFINITY

  /** Sees the connections that come from now on. */
  constructor(server: Server) {
    this.#server = server
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

  /**
   * Closes connections on which nothing is asked, unless a client may have sent one in the last `quietMs`.
   */
  closeIdle(quietMs: number): void {
    if (performance.now() - this.#quietSince < quietMs || this.#isSending) return
    if (this.count > 0) this.#server.closeIdleConnections()
    // To Node, a connection on which no request has come yet is not idle: browsers open some in advance.
    else this.#server.closeAllConnections()
    // Node does not know of connections without a TLS handshake.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy()
  }

  /** Destroys all connections, also those that were upgraded. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.closeAllConnections()
  }

  /** To Node, a connection is idle once the application has ended the response, whatever is left to send. */
  get #isSending(): boolean {
    for (const res of this.#responses) if (res.writableEnded) return true
    return false
  }

  /** A client that sends requests without waiting has to get the responses to all of them. */
  #closeAfter(res: ServerResponse): void {
    const { socket } = res.req
    const earlier = this.#lastOnes.get(socket)
    if (earlier && !earlier.headersSent) earlier.removeHeader('Connection')
    this.#lastOnes.set(socket, res)
    if (!res.headersSent) res.setHeader('Connection', 'close')
    // Its headers are out, so its client does not know that this is the end, and may ask again.
    else
      res.once('close', () => {
        this.#quietSince = performance.now()
      })
  }
}
