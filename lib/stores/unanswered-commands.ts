import { StoreFailure } from '../sessions/store.js'
import { outage } from '../sessions/store-outage.js'
import { ConnectionWatch } from './connection-watch.js'

/**
 * So many commands may wait for a reply, those included for which nobody waits any more: about as many as one
 * process sends in a second, so that one more would come too late anyway. They take 30 MB at most.
 */
const MOST_WAITING = 10_000

/** A command that has no reply yet. */
export interface UnansweredCommand {
  /** Whether there has been a connection to send it on. */
  isSent: boolean
  readonly stop: (reason: unknown) => void
}

interface UnansweredCommandsParts {
  /** A number that changes when something comes back. Default: nothing is known of that. */
  readonly received?: () => number
  /** How long nothing comes back on a connection that is given up, in seconds. */
  readonly patienceSeconds: number
  /** Called when the connection is dead. */
  readonly giveUp: () => void
}

/**
 * The commands of a connection that have no reply yet. While there are any, it is watched whether it is
 * alive.
 */
export class UnansweredCommands {
  readonly #parts: UnansweredCommandsParts
  readonly #watch: ConnectionWatch
  /** In the order in which they were sent. */
  readonly #waiting = new Set<UnansweredCommand>()
  /** The first command that the client has given up since something came back. */
  #timedOut: { readonly command: UnansweredCommand; readonly received: number } | undefined
  #replies = 0

  constructor(parts: UnansweredCommandsParts) {
    const giveUp = () => {
      this.#timedOut = undefined
      parts.giveUp()
    }
    this.#parts = parts
    this.#watch = new ConnectionWatch(
      { oldestWaiting: () => this.#oldest(), received: () => this.#received(), giveUp },
      parts.patienceSeconds,
    )
  }

  get areNone(): boolean {
    return this.#waiting.size === 0
  }

  /** Throws a `StoreFailure` when too many wait. */
  add(command: UnansweredCommand): void {
    if (this.#waiting.size >= MOST_WAITING) throw tooManyWait()
    this.#waiting.add(command)
    this.#watch.begin()
  }

  answered(command: UnansweredCommand): void {
    this.#waiting.delete(command)
    this.#replies += 1
  }

  /** `isUnanswered`: the client has given it up, and its reply may still come. */
  failed(command: UnansweredCommand, isUnanswered: boolean): void {
    this.#waiting.delete(command)
    const received = this.#received()
    if (isUnanswered && this.#timedOut?.received !== received) this.#timedOut = { command, received }
  }

  /** Stops all of them, or only those that were sent. */
  stop(reason: Error, { onlySent = false } = {}): void {
    for (const { isSent, stop } of this.#waiting) if (isSent || !onlySent) stop(reason)
  }

  /** The connection is ready, and what has waited for it is sent. */
  sent(): void {
    for (const command of this.#waiting) command.isSent = true
  }

  /** The connection is closed, so no more replies come on it. */
  closed(): void {
    this.#timedOut = undefined
  }

  #received(): number {
    const { received } = this.#parts
    return received ? this.#replies + received() : 0
  }

  #oldest(): UnansweredCommand | undefined {
    if (this.#timedOut?.received !== this.#received()) this.#timedOut = undefined
    return this.#timedOut?.command ?? this.#waiting.values().next().value
  }
}

function tooManyWait(): StoreFailure {
  return outage(new StoreFailure(`${MOST_WAITING} commands wait for a reply of Redis: no more are sent`))
}
