import { systemClock } from '../clock.js'
import { stderrLogger } from '../logger.js'
import { isReply, reasonOf } from '../reason.js'
import { StoreFailure } from '../sessions/store.js'
import { isOutage, outage } from '../sessions/store-outage.js'
import { ThrottledLog } from '../throttled-log.js'
import { handleAsking } from './redis-asking.js'
import {
  isClusterClient,
  isPipelining,
  type PipeliningClient,
  type RedisClient,
  type Reply,
} from './redis-client.js'
import { type UnansweredCommand, UnansweredCommands } from './unanswered-commands.js'

/** After so many seconds without a reply a connection is given up. */
export const SILENCE_SECONDS = 3
/** After so many seconds without a reply the nodes of a Cluster are asked whether they are alive. */
const NODE_SILENCE_SECONDS = 1
/** How a reply begins when the server did not run the command because another one has the key. */
const REDIRECTION = /^(?:ASK|MOVED|TRYAGAIN) /

/** What ioredis says of a closed connection: as an `error` event only of one that was being opened. */
const CLOSED = 'Connection is closed.'

/** An ioredis client, which reports the state of its connection. */
interface EventfulClient extends RedisClient {
  connect?(): Promise<unknown>
  readonly options?: {
    readonly db?: unknown
    readonly enableAutoPipelining?: unknown
    readonly autoResendUnfulfilledCommands?: boolean
  }
  readonly status?: string
  readonly stream?: { readonly bytesRead?: number }
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
 * ioredis would go on in database 0 when its SELECT is refused. Bounds how many commands wait, gives up a
 * connection that is dead without having been closed, and opens one again that ioredis has given up for good.
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
  #isEnded = false
  readonly #unanswered: UnansweredCommands
  /** Whether commands of a turn are sent together, to several slots. */
  readonly #isBundling: boolean
  readonly #log = new ThrottledLog(stderrLogger, systemClock)

  constructor(client: RedisClient) {
    this.#client = client
    this.#unanswered = this.#watched(client)
    const { options } = client as Partial<EventfulClient>
    this.#isBundling =
      isClusterClient(client) && isPipelining(client) && options?.enableAutoPipelining === true
    if (!isEventful(client)) return
    if (isClusterClient(client)) handleAsking(client, (error) => this.#tellRefusal(error))
    this.#listen(client)
    const isNew = client.status === undefined || client.status === 'wait' || client.status === 'connecting'
    this.#mayBeElsewhere = !isNew && Number(client.options?.db ?? 0) !== 0
  }

  call(command: string, ...args: (string | number)[]): Promise<unknown> {
    const reply = this.#run(() => this.#client.call(command, ...args))
    return this.#isBundling ? this.#redirected(reply, [command, ...args]) : reply
  }

  /** When commands are sent together, ioredis follows a redirection only if all of them got the same one. */
  async #redirected(reply: Promise<unknown>, command: readonly (string | number)[]): Promise<unknown> {
    try {
      return await reply
    } catch (error) {
      if (!(error instanceof Error && REDIRECTION.test(error.message))) throw error
      const [[failure, result] = [error, undefined]] = await this.callInOrder([command])
      if (failure) throw failure
      return result
    }
  }

  /** Sends commands on one connection, one after the other; each has its own reply or error. */
  async callInOrder(commands: readonly (readonly (string | number)[])[]): Promise<Reply[]> {
    const client = this.#client as PipeliningClient
    const calls = commands.map((command) => ['call', ...command])
    return (await this.#run(() => client.pipeline(calls).exec())) ?? []
  }

  #run<T>(send: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#trouble instanceof StoreFailure) return reject(this.#trouble)
      const stop = (reason: unknown) => {
        const error = this.#explained(reason)
        this.#unanswered.failed(command, this.#isOpen && isOutage(error))
        reject(error)
      }
      const command: UnansweredCommand = { isSent: this.#isOpen, stop }
      this.#unanswered.add(command)
      this.#send(send).then((reply) => {
        this.#unanswered.answered(command)
        resolve(reply)
      }, stop)
    })
  }

  async #send<T>(send: () => Promise<T>): Promise<T> {
    if (this.#mayBeElsewhere) await this.#selected()
    return send()
  }

  get isRenewable(): boolean {
    return this.#client.disconnect !== undefined
  }

  /** Replaces the connection by a new one. */
  renew(): void {
    this.#client.disconnect?.(true)
  }

  /** Ends the connection for good. A client that waits to connect again would never tell what it holds. */
  end(): void {
    this.#isEnded = true
    this.#client.disconnect?.(false)
    this.#unanswered.stop(new Error(CLOSED))
  }

  #watched(client: RedisClient): UnansweredCommands {
    if (!isClusterClient(client)) {
      const received = () => (client as Partial<EventfulClient>).stream?.bytesRead ?? 0
      const giveUp = () => this.#giveUp()
      return new UnansweredCommands({ received, patienceSeconds: SILENCE_SECONDS, giveUp })
    }
    // What comes back says nothing: one of the masters may be dead.
    const giveUp = () => {
      for (const node of client.nodes('master')) connectionOf(node).#prove()
    }
    return new UnansweredCommands({ patienceSeconds: NODE_SILENCE_SECONDS, giveUp })
  }

  get #isOpen(): boolean {
    const { status = 'ready' } = this.#client as Partial<EventfulClient>
    return status === 'connect' || status === 'ready'
  }

  /** Starts watching this connection, unless it is watched already. */
  #prove(): void {
    if (this.#unanswered.areNone) this.call('PING').catch(() => undefined)
  }

  /** While the client is connecting or waits to, it has limits of its own. */
  #giveUp(): void {
    if (!this.isRenewable || !this.#isOpen) return
    const line = `the connection to Redis is given up: commands wait, and nothing has come back for ${SILENCE_SECONDS} s`
    this.#log.write('error', line, line)
    this.renew()
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
      if (error.message === CLOSED) setImmediate(() => this.#openAgain(client))
      if (client.listenerCount('error') === 1) this.#tell(error)
    })
    client.on('close', () => {
      this.#isRefused = false
      this.#unanswered.closed()
      // ioredis does not report the commands that it will not send again.
      if (client.options?.autoResendUnfulfilledCommands === false)
        this.#unanswered.stop(new Error(CLOSED), { onlySent: true })
    })
    // With ioredis 5, a connection that has just refused the database becomes ready, too.
    client.on('ready', () => {
      this.#unanswered.sent()
      if (!this.#isRefused) this.#trouble = undefined
    })
  }

  /**
   * A failover of which a Sentinel tells while the connection is being opened closes it, and ioredis then
   * takes it for ended by the application. It says so as an error only when the application has not ended it.
   */
  #openAgain(client: EventfulClient): void {
    if (client.status === 'end' && !this.#isEnded) client.connect?.().catch(() => undefined)
  }

  #refuse(client: EventfulClient, error: Error): void {
    this.#isRefused = true
    client.disconnect?.(true)
    // Without authentication no database is selected: the error before this one is the cause.
    if (this.#trouble && error.message.startsWith('NOAUTH')) return
    const failure = new StoreFailure(`Redis refuses database ${client.options?.db}: ${reasonOf(error)}`)
    this.#trouble = failure
    this.#unanswered.stop(failure)
  }

  /** Adds the cause to an error of a lost connection. A reply of Redis needs none. */
  #explained(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof StoreFailure) return error
    const cause = this.#trouble
    // A reply as well, if it refuses the connection: a wrong password, too many clients.
    if (error === cause) return outage(error)
    // Not the connection, but what was to be sent.
    if (isReply(error) || error instanceof TypeError || error instanceof RangeError) return error
    if (!cause) return outage(error)
    return outage(Object.assign(new Error(error.message, { cause }), { name: error.name }))
  }

  /** Of a command that nobody waits for; a lost connection is told of by the others. */
  #tellRefusal(error: unknown): void {
    if (error instanceof Error && isReply(error)) this.#tell(error)
  }

  #tell(error: Error): void {
    const reason = reasonOf(error)
    this.#log.write('error', reason, `the connection to Redis fails: ${reason}`)
  }
}

function isEventful(client: RedisClient): client is EventfulClient {
  return 'on' in client && 'listenerCount' in client
}
