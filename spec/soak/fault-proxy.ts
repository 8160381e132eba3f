import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * What becomes of the bytes on the way to Redis and back. Where bytes are lost, the connection carries nothing
 * more that way, and nothing resets it: who uses it has to notice.
 */
export type Passage =
  | { readonly kind: 'clear' }
  | { readonly kind: 'slow'; readonly roundTripMs: number }
  | { readonly kind: 'black hole' }
  | { readonly kind: 'replies lost' }

/** One way of a connection. */
interface Way {
  readonly to: Socket
  readonly losesIn: readonly Passage['kind'][]
  isDead: boolean
  /** Settles when all that came before has been passed on. */
  sent: Promise<void>
}

/** The network between the app servers and Redis, which can be made bad. */
export class FaultProxy {
  readonly #server: Server
  readonly #clients = new Set<Socket>()
  readonly #behind: number
  #passage: Passage = { kind: 'clear' }

  constructor(behind: number) {
    this.#behind = behind
    this.#server = createServer({ noDelay: true }, (near) => this.#accept(near))
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  set passage(passage: Passage) {
    this.#passage = passage
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const client of this.#clients) client.destroy()
    await closed
  }

  #accept(client: Socket): void {
    const redis = connect({ port: this.#behind, host: '127.0.0.1', noDelay: true })
    this.#clients.add(client)
    this.#carry(client, { to: redis, losesIn: ['black hole'], isDead: false, sent: Promise.resolve() })
    this.#carry(redis, {
      to: client,
      losesIn: ['black hole', 'replies lost'],
      isDead: false,
      sent: Promise.resolve(),
    })
    for (const socket of [client, redis]) {
      socket.on('error', () => socket.destroy())
      socket.once('close', () => {
        this.#clients.delete(client)
        client.destroy()
        redis.destroy()
      })
    }
  }

  #carry(from: Socket, way: Way): void {
    from.on('data', (bytes) => {
      const passage = this.#passage
      if (way.losesIn.includes(passage.kind)) way.isDead = true
      if (way.isDead) return
      const isDueAt = performance.now() + (passage.kind === 'slow' ? passage.roundTripMs / 2 : 0)
      way.sent = way.sent.then(async () => {
        const waitMs = isDueAt - performance.now()
        if (waitMs > 0) await delay(waitMs)
        if (!way.to.destroyed) way.to.write(bytes)
      })
    })
  }
}
