import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'

/** One connection through the path, with what is on its way. */
interface Passage {
  readonly near: Socket
  readonly far: Socket
  /** Passes nothing on any more, in neither direction, and is not closed. */
  isDead: boolean
  /** Is reset in the middle of the next bytes from Redis. */
  isBreaking: boolean
}

// No protocol of ours starts with these bytes; they are fixed, so that a failing test fails again.
const GARBAGE = Buffer.from('ff00deadbeef0d0a', 'hex')

/** A path through the network to a Redis that can be slow, and lose what is on its way. */
export class RedisPath {
  readonly #server: Server
  readonly #redisPort: number
  readonly #passages = new Set<Passage>()
  #delayMs = 0
  #isHole = false
  #isCrumbling = false

  private constructor(redisPort: number) {
    this.#redisPort = redisPort
    this.#server = createServer({ noDelay: true }, (near) => this.#accept(near))
  }

  static async open(redisPort: number): Promise<RedisPath> {
    const path = new RedisPath(redisPort)
    path.#server.listen(0, '127.0.0.1')
    await once(path.#server, 'listening')
    return path
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Makes each way so long, in milliseconds. */
  delay(ms: number): void {
    this.#delayMs = ms
  }

  /** The connections of this moment are dead: nobody closes them. New ones are not. */
  kill(): void {
    for (const passage of this.#passages) passage.isDead = true
  }

  /** New connections are dead as well. */
  beginHole(): void {
    this.kill()
    this.#isHole = true
  }

  endHole(): void {
    this.#isHole = false
  }

  /** Sends each byte by itself, or no longer. */
  crumble(isCrumbling: boolean): void {
    this.#isCrumbling = isCrumbling
  }

  /** Each connection of this moment is reset in the middle of the next reply. */
  breakOff(): void {
    for (const passage of this.#passages) passage.isBreaking = true
  }

  /** Sends bytes that mean nothing to the client, on each connection. */
  sendGarbage(): void {
    for (const { near } of this.#passages) near.write(GARBAGE)
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const { near } of this.#passages) near.destroy()
    await closed
  }

  #accept(near: Socket): void {
    const far = connect({ port: this.#redisPort, host: '127.0.0.1', noDelay: true })
    const passage: Passage = { near, far, isDead: this.#isHole, isBreaking: false }
    this.#passages.add(passage)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#carry(passage, from, to)
      from.on('error', () => from.destroy())
      from.once('close', () => {
        this.#passages.delete(passage)
        near.destroy()
        far.destroy()
      })
    }
  }

  /** Keeps the order, also when the delay becomes shorter. */
  #carry(passage: Passage, from: Socket, to: Socket): void {
    let before = Promise.resolve()
    from.on('data', (bytes) => {
      const isLate = delay(this.#delayMs)
      before = before.then(async () => {
        if (this.#delayMs > 0) await isLate
        if (!passage.isDead && !to.destroyed) await this.#write(passage, to, bytes)
      })
    })
  }

  async #write(passage: Passage, to: Socket, bytes: Buffer): Promise<void> {
    if (passage.isBreaking && to === passage.near) {
      await new Promise((resolve) => to.write(bytes.subarray(0, bytes.length / 2), resolve))
      to.resetAndDestroy()
    } else if (this.#isCrumbling) {
      for (const byte of bytes) {
        to.write(Uint8Array.of(byte))
        await turn()
      }
    } else {
      to.write(bytes)
    }
  }
}
