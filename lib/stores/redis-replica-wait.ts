import { StoreFailure, tooLate } from '../sessions/store.js'
import {
  isClusterClient,
  isPipelining,
  type PipeliningClient,
  type RedisClient,
  type Reply,
} from './redis-client.js'
import { connectionOf, type RedisConnection } from './redis-connection.js'
import { CONFIRM } from './redis-key-scripts.js'

/** Share of the remaining time that Redis may wait; the rest is for its reply. */
const SHARE_FOR_WAITING = 0.75
const MOST_REDIRECTIONS = 3
const ASKED_ELSEWHERE = /^ASK \d+ (.+):(\d+)$/
const REDIRECTED = /^(?:ASK|MOVED|CLUSTERDOWN|TRYAGAIN) /

type Command = readonly (string | number)[]

/** A command that changes one key, or finds it as it should be. */
export interface KeyChange {
  readonly key: string
  readonly command: Command
  /** What says nothing as the value of this key. */
  readonly nothing: string
}

/**
 * Makes changes that count only when replicas have them. `WAIT` looks at what its own connection has written,
 * so it goes there with the change; and it holds up all that comes behind it, so that connection is not the
 * one on which requests read. If the connection is lost in between, the client does not send it elsewhere.
 */
export class ReplicaWait {
  readonly #client: PipeliningClient
  readonly #replicas: number
  #own: PipeliningClient | undefined

  /** Throws a `TypeError` for a client that cannot keep commands together. */
  constructor(client: RedisClient, replicas: number) {
    if (!isPipelining(client)) {
      throw new TypeError(
        'RedisStore: waitReplicas needs an ioredis client, which can send commands together',
      )
    }
    this.#client = client
    this.#replicas = replicas
  }

  /**
   * Sends a change and returns its reply when enough replicas have it, in one round trip. Throws a
   * `StoreFailure` if they do not in time: then the change is made, and may be lost.
   */
  async send(change: KeyChange, leftMs: () => number): Promise<unknown> {
    let target: { readonly connection: RedisConnection; readonly isAsking: boolean } | undefined
    for (let redirections = 0; ; redirections += 1) {
      const { connection, isAsking } = target ?? { connection: this.#connection, isAsking: false }
      const [changed, confirmed, waited] = await this.#sendTo(connection, change, isAsking, leftMs())
      const error = errorIn(changed)
      if (!error) {
        const failure = errorIn(confirmed)
        if (failure) throw failure
        this.#check(waited)
        return changed?.[1]
      }
      if (!REDIRECTED.test(error.message) || redirections === MOST_REDIRECTIONS) throw error
      target = await this.#redirected(error, change.key)
    }
  }

  /** Replaces the connection by a new one. */
  renew(): void {
    this.#own?.disconnect?.(true)
  }

  close(): void {
    this.#client.off('end', this.#closed)
    this.#own?.disconnect?.(false)
    this.#own = undefined
  }

  readonly #closed = () => this.close()

  get #connection(): RedisConnection {
    if (this.#client.status === 'end') return connectionOf(this.#client)
    if (!this.#own) {
      this.#own = this.#client.duplicate()
      this.#client.on('end', this.#closed)
    }
    return connectionOf(this.#own)
  }

  /** Resolves with the replies to the change, to its confirmation, and to `WAIT`. */
  async #sendTo(
    connection: RedisConnection,
    { key, command, nothing }: KeyChange,
    isAsking: boolean,
    leftMs: number,
  ): Promise<Reply[]> {
    const timeoutMs = Math.floor(leftMs * SHARE_FOR_WAITING)
    // WAIT would take 0 for no limit at all.
    if (timeoutMs < 1) throw tooLate()
    const commands = [command, ['EVAL', CONFIRM.source, 1, key, '', '', '', nothing]]
    const asking = isAsking ? commands.flatMap((each) => [['ASKING'], each]) : commands
    const replies = await connection.callInOrder([...asking, ['WAIT', this.#replicas, timeoutMs]])
    return isAsking ? replies.filter((_, at) => at % 2 === 1 || at === replies.length - 1) : replies
  }

  /**
   * Lets the client of a Cluster find the way, which it does for a command alone. Where a key is on the move,
   * the server that has it now is told that it is asked on purpose.
   */
  async #redirected(error: Error, key: string) {
    await this.#connection.call('EVAL', 'return 1', 1, key)
    const [, host, port] = ASKED_ELSEWHERE.exec(error.message) ?? []
    if (host === undefined || !this.#own || !isClusterClient(this.#own)) return undefined
    const node = this.#own.nodes('master').find((each) => isAt(each, host, Number(port)))
    if (!node) throw error
    return { connection: connectionOf(node), isAsking: true }
  }

  #check(waited: Reply | undefined): void {
    const error = errorIn(waited)
    if (error && /unknown command|no permission|NOPERM/i.test(error.message)) {
      throw new StoreFailure('waitReplicas needs the command WAIT, which is not known or not allowed here')
    }
    if (error) throw error
    const count = Number(waited?.[1])
    if (count >= this.#replicas) return
    throw new StoreFailure(
      `a change was made, but only ${count} of ${this.#replicas} replicas have it: a failover may undo it`,
    )
  }
}

function errorIn(reply: Reply | undefined): Error | undefined {
  if (reply) return reply[0] ?? undefined
  return new StoreFailure('Redis replied to fewer commands than were sent')
}

function isAt(node: RedisClient, host: string, port: number): boolean {
  const { options } = node as { options?: { host?: unknown; port?: unknown } }
  return options?.host === host && Number(options.port) === port
}
