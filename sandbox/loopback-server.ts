import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'

/** An HTTP server that can go down and come back on the same port. */
export class LoopbackServer {
  readonly #server: Server
  readonly #host: string
  #port: number
  #isClosed = false

  constructor(listener: RequestListener, host: string, port: number) {
    this.#server = createServer(listener)
    this.#host = host
    this.#port = port
  }

  get url(): string {
    return `http://${isIPv6(this.#host) ? `[${this.#host}]` : this.#host}:${this.#port}`
  }

  async bringUp(): Promise<void> {
    if (this.#isClosed) throw new Error('the sandbox is closed and cannot be brought up again')
    if (this.#server.listening) return
    this.#server.listen(this.#port, this.#host)
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    this.#port = port
  }

  async takeDown(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.takeDown()
  }
}
