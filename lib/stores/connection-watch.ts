const LOOK_MS = 1000
/** So many more looks a new connection has, as Redis itself may be what hangs. */
const GRACE_LOOKS = 2

/** A connection, as far as one can see whether it is alive. */
export interface WatchedConnection {
  /** The first command that has no reply, even if nobody waits for it any more; undefined: there is none. */
  oldestWaiting(): object | undefined
  /** A number that changes when something comes back. */
  received(): number
  /** Called when it is dead. */
  giveUp(): void
}

/**
 * Looks at a connection once a second while commands wait for replies, and has it given up when the same one
 * has waited for `patienceSeconds` and nothing has come back; again after 2 seconds more at the earliest. A
 * connection that was cut without being closed looks like a slow one; TCP takes minutes to tell them apart.
 */
export class ConnectionWatch {
  readonly #connection: WatchedConnection
  readonly #patienceSeconds: number
  #timer: NodeJS.Timeout | undefined
  #oldest: object | undefined
  #received = 0
  #silentLooks = 0

  constructor(connection: WatchedConnection, patienceSeconds: number) {
    this.#connection = connection
    this.#patienceSeconds = patienceSeconds
  }

  /** To be called with each command, so it costs next to nothing. */
  begin(): void {
    this.#timer ??= this.#lookLater()
  }

  /**
   * What has arrived counts even if the process was too busy to read it: timers run before sockets are read.
   */
  #lookLater(): NodeJS.Timeout {
    return setTimeout(() => setImmediate(() => this.look()), LOOK_MS).unref()
  }

  /** Looks now, as it does once a second. */
  look(): void {
    const [oldest, received] = [this.#connection.oldestWaiting(), this.#connection.received()]
    const isSilent = oldest !== undefined && oldest === this.#oldest && received === this.#received
    this.#silentLooks = isSilent ? this.#silentLooks + 1 : Math.min(this.#silentLooks + 1, 0)
    this.#oldest = oldest
    this.#received = received
    this.#timer = oldest && this.#lookLater()
    if (this.#silentLooks < this.#patienceSeconds) return
    this.#silentLooks = -GRACE_LOOKS
    this.#connection.giveUp()
  }
}
