import { stderrLogger } from '../logger.js'
import { reasonOf } from '../reason.js'
import { StoreFailure } from '../sessions/store.js'
import type { RedisClient } from './redis-client.js'

/** The part of an ioredis client that reports on its connection. */
interface EventfulClient extends RedisClient {
  readonly options?: { readonly db?: unknown }
  readonly status?: string
  on(event: string, listener: (error?: unknown) => void): unknown
  listenerCount(event: string): number
}

const connections = new WeakMap<RedisClient, RedisConnection>()

/** The connection of a client, one for all stores that share the client. */
export function connectionOf(client: RedisClient): RedisConnection {
  const connection = connections.get(client) ?? new RedisConnection(client)
  connections.set(client, connection)
  return connection
}

/**
 * The connection of a client. What fails while there is none says why there is none; and nothing is sent to
 * another database than the client was made for: ioredis goes on in database 0 when its SELECT is refused.
 */
export class RedisConnection {
  readonly #client: RedisClient
  /** The last error of the client since it was connected. */
  #trouble: Error | undefined
  /** Whether the present connection refused the database. */
  #isRefused = false
  /** Whether the client was connected before anybody listened here: it may have been refused its database. */
  #mayBeElsewhere = false
  /** The reply to the SELECT that finds out. */
  #selection: Promise<unknown> | undefined
  readonly #waiting = new Set<(reason: Error) => void>()
  /** What stderr has heard since the client was last connected, where nobody else listens. */
  readonly #told = new Set<string>()

  constructor(client: RedisClient) {
    this.#client = client
    if (!isEventful(client)) return
    this.#listen(client)
    const isNew = client.status === undefined || client.status === 'wait' || client.status === 'connecting'
    this.#mayBeElsewhere = !isNew && Number(client.options?.db ?? 0) !== 0
  }

  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    if (this.#trouble instanceof StoreFailure) throw this.#trouble
    let stopWaiting: (reason: Error) => void = () => undefined
    const refusal = new Promise<never>((_resolve, reject) => {
      stopWaiting = reject
    })
    this.#waiting.add(stopWaiting)
    try {
      const send = () => this.#client.call(command, ...args)
      return await Promise.race([this.#mayBeElsewhere ? this.#selected().then(send) : send(), refusal])
    } catch (error) {
      throw this.#explained(error)
    } finally {
      this.#waiting.delete(stopWaiting)
    }
  }

  get isRenewable(): boolean {
    return this.#client.disconnect !== undefined
  }

  /** Gives the connection up for another one. */
  renew(): void {
    this.#client.disconnect?.(true)
  }

  /** Selects the database once more, once. */
  async #selected(): Promise<void> {
    const client = this.#client as EventfulClient
    this.#selection ??= client.call('SELECT', Number(client.options?.db))
    try {
      await this.#selection
      this.#mayBeElsewhere = false
    } catch (error) {
      this.#selection = undefined
      if (error instanceof Error && error.name === 'ReplyError') this.#refuse(client, error)
      throw error
    }
  }

  #listen(client: EventfulClient): void {
    client.on('error', (error) => {
      if (!(error instanceof Error)) return
      if (Object(Object(error).command).name === 'select') this.#refuse(client, error)
      else if (!this.#isRefused || error.name === 'ReplyError') this.#trouble = error
      if (client.listenerCount('error') === 1) this.#tell(error)
    })
    client.on('close', () => {
      this.#isRefused = false
    })
    // With ioredis 5 also a connection that has just refused the database gets ready.
    client.on('ready', () => {
      if (this.#isRefused) return
      this.#trouble = undefined
      this.#told.clear()
    })
  }

  /**
   * A client that has not said who it is gets no database either: what is to be mended then was told before.
   */
  #refuse(client: EventfulClient, error: Error): void {
    this.#isRefused = true
    client.disconnect?.(true)
    if (this.#trouble && error.message.startsWith('NOAUTH')) return
    const failure = new StoreFailure(`Redis refuses database ${client.options?.db}: ${reasonOf(error)}`)
    this.#trouble = failure
    for (const stopWaiting of this.#waiting) stopWaiting(failure)
  }

  /** What Redis answered speaks for itself; what the client says of a lost connection does not. */
  #explained(error: unknown): unknown {
    const trouble = this.#trouble
    if (!trouble || error === trouble || !(error instanceof Error) || error.name === 'ReplyError')
      return error
    return Object.assign(new Error(error.message, { cause: trouble }), { name: error.name })
  }

  #tell(error: Error): void {
    const reason = reasonOf(error)
    if (this.#told.has(reason)) return
    this.#told.add(reason)
    stderrLogger.error(`the connection to Redis fails: ${reason}`)
  }
}

function isEventful(client: RedisClient): client is EventfulClient {
  return 'on' in client && 'listenerCount' in client
}
