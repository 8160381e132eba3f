import { withinDeadline } from '../deadline.js'
import { StoreFailure } from '../sessions/store.js'
import type { DuplicableClient, SubscribingClient } from './redis-client.js'
import { isWithin } from './wakeful-clock.js'

/** For how long an answered PING shows that all changes before it were told, in milliseconds. */
export const PROOF_MS = 1_000
/** How long it may take until the channel tells of changes, in milliseconds. */
const OPENING_MS = 5_000
const TOLD_ON = '__redis__:invalidate'
/** In place of the settings of the application: one connection, once, that speaks RESP2. */
const OWN_SETTINGS = {
  protocol: 2,
  db: 0,
  lazyConnect: true,
  readOnly: false,
  autoResubscribe: false,
  enableAutoPipelining: false,
  enableOfflineQueue: true,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  reconnectOnError: null,
}

interface InvalidationChannelParts {
  /** The client of the server, for its settings. */
  readonly client: DuplicableClient
  /** What the keys begin with whose changes are told. None may begin with another. */
  readonly prefixes: readonly string[]
  /** Receives the keys that have changed; null: all may have. */
  readonly onChange: (keys: readonly string[] | null) => void
  /** Is told of each answered PING. */
  readonly onProof: () => void
  /** Is told once when it has ended, with the reason where there is one. */
  readonly onEnd: (reason: unknown) => void
  /** A clock of milliseconds. */
  readonly now: () => number
}

/**
 * A connection on which one server tells which keys change, by `CLIENT TRACKING` in broadcasting mode. In
 * RESP2 such news come by Pub/Sub, here to the connection itself. Replies and news come in order, so an
 * answered PING shows that all earlier changes were told. It ends once, and is not opened again.
 */
export class InvalidationChannel {
  readonly #parts: InvalidationChannelParts
  readonly #connection: SubscribingClient
  #state: 'new' | 'subscribed' | 'ended' = 'new'
  #pingedAt: number | undefined
  #provenAt = Number.NEGATIVE_INFINITY
  #trouble: unknown

  constructor(parts: InvalidationChannelParts) {
    this.#parts = parts
    this.#connection = parts.client.duplicate(OWN_SETTINGS)
    this.#connection.on('error', (error) => {
      this.#trouble = error
    })
    for (const event of ['close', 'end']) this.#connection.on(event, () => this.end(this.#trouble))
    this.#connection.on('messageBuffer', (_channel, keys) => this.#hear(keys))
  }

  /** Up to when all changes were told, by the clock that was given. */
  get provenAt(): number {
    return this.#provenAt
  }

  /**
   * Subscribes to changes. `identify` is called before that, as only then other commands are allowed, and
   * `prove` afterwards, before anything counts as told. Ends if any of that fails.
   */
  async open(
    identify: (connection: SubscribingClient) => Promise<void>,
    prove: () => Promise<void>,
  ): Promise<void> {
    const late = () => new StoreFailure(`not open within ${OPENING_MS} ms`)
    const opening = async () => {
      await this.#connection.connect()
      await identify(this.#connection)
      const id = Number(await this.#connection.call('CLIENT', 'ID'))
      const prefixes = this.#parts.prefixes.flatMap((prefix) => ['PREFIX', prefix])
      await this.#connection.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', id, 'BCAST', ...prefixes)
      // In lower case, by which ioredis knows that it subscribes.
      await this.#connection.call('subscribe', TOLD_ON)
      await prove()
    }
    try {
      await withinDeadline(opening(), OPENING_MS, late)
      if (this.#state !== 'new') return
      this.#state = 'subscribed'
      this.beat()
    } catch (error) {
      // What ioredis says of a connection that failed is less than the error before it.
      const isReply = error instanceof Error && error.name === 'ReplyError'
      this.end(isReply ? error : (this.#trouble ?? error))
    }
  }

  /** Sends the next PING, or ends if the one before has not been answered in time. */
  beat(): void {
    if (this.#state !== 'subscribed') return
    const now = this.#parts.now()
    if (this.#pingedAt !== undefined) {
      if (!isWithin(PROOF_MS, this.#pingedAt, now)) this.end(new StoreFailure('no answer to PING'))
      return
    }
    this.#pingedAt = now
    this.#connection.call('ping').then(
      () => this.#answered(now),
      (error: unknown) => this.end(error),
    )
  }

  end(reason?: unknown): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#provenAt = Number.NEGATIVE_INFINITY
    this.#connection.disconnect?.(false)
    this.#parts.onEnd(reason)
  }

  #answered(pingedAt: number): void {
    if (this.#state !== 'subscribed') return
    this.#pingedAt = undefined
    this.#provenAt = pingedAt
    this.#parts.onProof()
  }

  /** Redis sends a list of keys, or nothing after FLUSHALL. */
  #hear(keys: unknown): void {
    this.#parts.onChange(Array.isArray(keys) ? keys.map(String) : null)
  }
}
