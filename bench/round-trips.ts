import type { ServerResponse } from 'node:http'
import type { Redis } from 'ioredis'

const IDLE_TURNS = 3

/**
 * Counts what a client asks of Redis before responses. Commands that overlap are one round trip; those that
 * no response waits for are none.
 */
export class RoundTrips {
  commands = 0
  roundTrips = 0
  #sent = 0
  #ended = 0
  #inFlight = 0

  constructor(redis: Redis) {
    const send = redis.sendCommand.bind(redis)
    redis.sendCommand = (command, stream) => {
      if (command.name !== 'info' && command.name !== 'select') this.#count(command.promise)
      return send(command, stream)
    }
  }

  /** Counts from now until the response is sent. */
  countUntil(res: ServerResponse): void {
    const [sent, ended] = [this.#sent, this.#ended]
    const end = res.end
    res.end = (...args: unknown[]) => {
      this.commands += this.#sent - sent
      this.roundTrips += this.#ended - ended
      return Reflect.apply(end, res, args)
    }
  }

  /** Resolves when no command is on its way, nor about to be sent for a reply that has just come. */
  async idle(): Promise<void> {
    for (let turns = 0; turns < IDLE_TURNS; turns = this.#inFlight === 0 ? turns + 1 : 0)
      await new Promise((resolve) => setImmediate(resolve))
  }

  #count(reply: Promise<unknown>): void {
    this.#sent += 1
    this.#inFlight += 1
    const settle = () => {
      this.#inFlight -= 1
      if (this.#inFlight === 0) this.#ended += 1
    }
    reply.then(settle, settle)
  }
}
