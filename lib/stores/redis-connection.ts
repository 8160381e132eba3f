import { stderrLogger } from '../logger.js'
import { reasonOf } from '../reason.js'
import { StoreFailure } from '../sessions/store.js'
import type { PipeliningClient, RedisClient, Reply } from './redis-client.js'

/** An ioredis client, which reports the state of its connection. */
interface EventfulClient extends RedisClient {
  readonly options?: { readonly db?: unknown }
  readonly status?: string
  on(event: string, listener: (error?: unknown) => void): unknown
  listenerCount(event: string): number
}

const connections = new WeakMap<RedisClient, RedisConnection>()

/** Returns the connection of a client, which all stores of the client share. */
export function connectionOf(client: RedisClient): RedisConnection {
  const connection = connections.get(client) ?? new RedisConnection(client)
  connections.set(client, connection)
  return connection
}

/**
 * The connection of a client. Errors of commands say why it is down. Sends nothing to the wrong database:
 * ioredis would go on in database 0 when its SELECT is refused.
 */
export class RedisConnection {
  readonly #client: RedisClient
  /** The last error of the client since it was ready. */
  #trouble: Error | undefined
  /** Whether Redis has refused the database on this connection. */
  #isRefused = false
  /** Whether the client connected before we listened: Redis may have refused its database. */
  #mayBeElsewhere = false
  #selection: Promise<unknown> | undefined
  /** Reject the commands that wait for a reply. */
  readonly #waiting = new Set<(reason: Error) => void>()
  /** What was logged since the client was ready. */
  readonly #logged = new Set<string>()

  constructor(client: RedisClient) {
    this.#client = client
    if (!isEventful(client)) return
    this.#listen(client)
    const isNew = client.status === undefined || client.status === 'wait' || client.status === 'connecting'
    this.#mayBeElsewhere = !isNew && Number(client.options?.db ?? 0) !== 0
  }

  async call(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#run(() => this.#client.call(command, ...args))
  }

  /** Sends commands on one connection, one after the other; each has its own reply or error. */
  async callInOrder(commands: readonly (readonly (string | number)[])[]): Promise<Reply[]> {
    const client = this.#client as PipeliningClient
    const calls = commands.map((command) => ['call', ...command])
    return (await this.#run(() => client.pipeline(calls).exec())) ?? []
  }

  async #run<T>(send: () => Promise<T>): Promise<T> {
    if (this.#trouble instanceof StoreFailure) throw this.#trouble
    let stopWaiting: (reason: Error) => void = () => undefined
    const refusal = new Promise<never>((_resolve, reject) => {
      stopWaiting = reject
    })
    this.#waiting.add(stopWaiting)
    try {
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

  /** Replaces the connection by a new one. */
  renew(): void {
    this.#client.disconnect?.(true)
  }

  /** Selects the database again, once. */
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
      if (client.listenerCount('error') === 1) this.#log(error)
    })
    client.on('close', () => {
      this.#isRefused = false
    })
    // With ioredis 5, a connection that has just refused the database becomes ready, too.
    client.on('ready', () => {
      if (this.#isRefused) return
      this.#trouble = undefined
      this.#logged.clear()
    })
  }

  #refuse(client: EventfulClient, error: Error): void {
    this.#isRefused = true
    client.disconnect?.(true)
    // Without authentication no database is selected: the error before this one is the cause.
    if (this.#trouble && error.message.startsWith('NOAUTH')) return
    const failure = new StoreFailure(`Redis refuses database ${client.options?.db}: ${reasonOf(error)}`)
    this.#trouble = failure
    for (const stopWaiting of this.#waiting) stopWaiting(failure)
  }

  /** Adds the cause to an error of a lost connection. A reply of Redis needs none. */
  #explained(error: unknown): unknown {
    const cause = this.#trouble
    if (!cause || error === cause || !(error instanceof Error) || error.name === 'ReplyError') return error
    return Object.assign(new Error(error.message, { cause }), { name: error.name })
  }

  #log(error: Error): void {
    const reason = reasonOf(error)
    if (this.#logged.has(reason)) return
    this.#logged.add(reason)
    stderrLogger.error(`the connection to Redis fails: ${reason}`)
  }
}

function isEventful(client: RedisClient): client is EventfulClient {
  return 'on' in client && 'listenerCount' in client
}
