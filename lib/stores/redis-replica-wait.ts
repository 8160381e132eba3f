import { withinDeadline } from '../deadline.js'
import { StoreFailure, tooLate } from '../sessions/store.js'
import { outage } from '../sessions/store-outage.js'
import { slotOf } from './hash-slot.js'
import {
  addressFor,
  duplicateOf,
  isAt,
  isClusterClient,
  isPipelining,
  type PipeliningClient,
  type RedisClient,
  type Reply,
  socketTimeoutMsOf,
} from './redis-client.js'
import { connectionOf, type RedisConnection, SILENCE_SECONDS } from './redis-connection.js'
import { CONFIRM } from './redis-key-scripts.js'

/** Share of the remaining time that Redis may wait; the rest is for its reply. */
const SHARE_FOR_WAITING = 0.75
/** Share of what is left after that for finding out why replicas are missing. */
const SHARE_FOR_ASKING_WHY = 0.5
/** So many changes may wait at one server, those included for which nobody waits any more. */
const MOST_WAITING = 4_000
const MOST_REDIRECTIONS = 3
const ELSEWHERE = /^(ASK|MOVED) \d+ (.+):(\d+)$/
const REDIRECTED = /^(?:ASK|MOVED|CLUSTERDOWN|TRYAGAIN) /

type Command = readonly (string | number)[]

/** A command that changes one key, or finds it as it should be. */
export interface KeyChange {
  readonly key: string
  readonly command: Command
  /** The first arguments of its script, and of its confirmation. */
  readonly head: Command
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
  /** While Redis waits nothing comes back, and a connection that is silent for so long is given up. */
  readonly #silenceMs: number
  #own: PipeliningClient | undefined
  /** How many changes wait at each server. */
  readonly #waiting = new Map<string, number>()

  /** Throws a `TypeError` for a client that cannot keep commands together. */
  constructor(client: RedisClient, replicas: number) {
    if (!isPipelining(client)) {
      throw new TypeError(
        'RedisStore: waitReplicas needs an ioredis client, which can send commands together',
      )
    }
    this.#client = client
    this.#replicas = replicas
    this.#silenceMs = Math.min(socketTimeoutMsOf(client), SILENCE_SECONDS * 1000)
  }

  /**
   * Sends a change and returns its reply when enough replicas have it, in one round trip. Throws a
   * `StoreFailure` if they do not in time: then the change is made, and may be lost.
   */
  async send(change: KeyChange, leftMs: () => number): Promise<unknown> {
    const server = this.#serverOf(change.key)
    const waiting = this.#waiting.get(server) ?? 0
    if (waiting >= MOST_WAITING) throw tooManyWait()
    this.#waiting.set(server, waiting + 1)
    try {
      return await this.#send(change, leftMs)
    } finally {
      const left = (this.#waiting.get(server) ?? 0) - 1
      if (left > 0) this.#waiting.set(server, left)
      else this.#waiting.delete(server)
    }
  }

  async #send(change: KeyChange, leftMs: () => number): Promise<unknown> {
    let target: { readonly connection: RedisConnection; readonly isAsking: boolean } | undefined
    for (let redirections = 0; ; redirections += 1) {
      const { connection, isAsking } = target ?? { connection: this.#connection, isAsking: false }
      const [changed, confirmed, waited] = await this.#sendTo(connection, change, isAsking, leftMs())
      const error = errorIn(changed)
      if (!error) {
        // Nothing was made. Where many wait, those who come too late must not hold up the others.
        if (isLate(changed)) return changed?.[1]
        const failure = errorIn(confirmed) ?? waitErrorIn(waited)
        if (failure) throw failure
        const count = isLate(confirmed) ? 0 : Number(waited?.[1])
        if (!(count >= this.#replicas)) throw await this.#tooFew(count, change.key, leftMs())
        return changed?.[1]
      }
      if (!REDIRECTED.test(error.message) || redirections === MOST_REDIRECTIONS) throw error
      target = await this.#redirected(error, change.key)
    }
  }

  /** The server of a key: one whose replicas are away must not use up the places of the others. */
  #serverOf(key: string): string {
    const { slots } = this.#client as { slots?: readonly (readonly string[] | undefined)[] }
    return slots?.[slotOf(key)]?.[0] ?? ''
  }

  /** Replaces the connection by a new one. */
  renew(): void {
    this.#own?.disconnect?.(true)
  }

  close(): void {
    this.#client.off('end', this.#closed)
    if (this.#own) connectionOf(this.#own).end()
    this.#own = undefined
  }

  readonly #closed = () => this.close()

  get #connection(): RedisConnection {
    if (this.#client.status === 'end') return connectionOf(this.#client)
    if (!this.#own || this.#own.status === 'end') {
      this.close()
      this.#own = duplicateOf(this.#client)
      this.#client.on('end', this.#closed)
    }
    return connectionOf(this.#own)
  }

  /** Resolves with the replies to the change, to its confirmation, and to `WAIT`. */
  async #sendTo(
    connection: RedisConnection,
    { key, command, head, nothing }: KeyChange,
    isAsking: boolean,
    leftMs: number,
  ): Promise<Reply[]> {
    const timeoutMs = Math.floor(Math.min(leftMs, this.#silenceMs) * SHARE_FOR_WAITING)
    // WAIT would take 0 for no limit at all.
    if (timeoutMs < 1) throw tooLate()
    const commands = [command, ['EVAL', CONFIRM.source, 1, key, ...head, nothing]]
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
    const [, what, host, port] = ELSEWHERE.exec(error.message) ?? []
    if (host === undefined || !this.#own || !isClusterClient(this.#own)) return undefined
    const address = addressFor(this.#own, host, Number(port))
    const node = this.#own.nodes('master').find((each) => isAt(each, address))
    const isAsking = what === 'ASK'
    if (!node && isAsking) throw error
    // After MOVED the client itself would look under the address without `natMap`.
    return node && { connection: connectionOf(node), isAsking }
  }

  /** Redis itself knows whether there are enough replicas: it says nothing of those that are slow. */
  async #tooFew(count: number, key: string, leftMs: number): Promise<StoreFailure> {
    const known = await withinDeadline(this.#connected(key), leftMs * SHARE_FOR_ASKING_WHY, tooLate).catch(
      () => this.#replicas,
    )
    const failure = `a change was made, but only ${count} of ${this.#replicas} replicas have it: a failover may undo it`
    if (!(known < this.#replicas)) return new StoreFailure(failure)
    return new StoreFailure(
      `${failure}. Redis has ${known} in all: bring back the others, or lower waitReplicas`,
    )
  }

  /** How many replicas the server of a key has; NaN where it does not say. */
  async #connected(key: string): Promise<number> {
    // On the connection of the application, as its own may have more to wait for.
    const commands = [
      ['EVAL', 'return 1', 1, key],
      ['INFO', 'replication'],
    ]
    const [found, info] = await connectionOf(this.#client).callInOrder(commands)
    if (errorIn(found) || errorIn(info)) return Number.NaN
    return Number(/^connected_slaves:(\d+)/m.exec(String(info?.[1]))?.[1])
  }
}

function tooManyWait(): StoreFailure {
  return outage(
    new StoreFailure(`${MOST_WAITING} changes wait for the replicas of a server: no more are sent to it`),
  )
}

function errorIn(reply: Reply | undefined): Error | undefined {
  if (reply) return reply[0] ?? undefined
  return new StoreFailure('Redis replied to fewer commands than were sent')
}

/** Whether a script has done nothing, as it was too late. */
function isLate(reply: Reply | undefined): boolean {
  const texts = reply?.[1]
  return Array.isArray(texts) && texts[2] === 'late'
}

function waitErrorIn(waited: Reply | undefined): Error | undefined {
  const error = errorIn(waited)
  if (!error || !/unknown command|no permission|NOPERM/i.test(error.message)) return error
  return new StoreFailure('waitReplicas needs the command WAIT, which is not known or not allowed here')
}
