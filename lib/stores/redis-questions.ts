import { randomBytes } from 'node:crypto'
import { StoreFailure, tooLate } from '../sessions/store.js'
import { isClusterClient, type RedisClient } from './redis-client.js'
import { RedisClock } from './redis-clock.js'
import { connectionOf, type RedisConnection } from './redis-connection.js'
import type { RedisScript } from './redis-script.js'

/** A connection is not given up more often than this. */
const PAUSE_MICROS = 1_000_000

/** What a script replied, checked to be the reply to this question. */
export interface RedisReply {
  /** The moment by the clock of Redis, in microseconds since 1970. */
  readonly moment: number
  /** What it came to: `ok`, `none`, `late` and so on. */
  readonly outcome: string
  readonly texts: readonly string[]
}

export interface Question {
  readonly script: RedisScript
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

/** The value of a key is damaged, or of a newer version. */
export class UnreadableKey extends StoreFailure {}

/**
 * Asks Redis by scripts. Each question has a nonce, and is answered only by the reply that bears it; each
 * change says until when it is wanted, by the clock of Redis.
 */
export class RedisQuestions {
  readonly #connection: RedisConnection
  readonly #clock: RedisClock
  /** Tells the moment in place of Redis. */
  readonly #momentInstead: (() => number) | undefined
  readonly #process = randomBytes(3).toString('base64url')
  #questions = 0
  #givenUpAt = Number.NEGATIVE_INFINITY

  constructor(client: RedisClient, momentInstead: (() => number) | undefined) {
    this.#connection = connectionOf(client)
    this.#clock = new RedisClock(isClusterClient(client))
    this.#momentInstead = momentInstead
  }

  /**
   * Runs a script. A change that Redis calls late is tried once more, as the reply has told the time. Throws
   * `tooLate()`.
   */
  async ask(question: Question, withinMs?: number): Promise<RedisReply> {
    if (withinMs === undefined) return this.#asked(question, '')
    const deadline = this.#clock.now() + withinMs * 1000
    for (let tries = 0; tries < 2 && this.#clock.now() < deadline; tries += 1) {
      const reply = await this.#asked(question, this.#clock.lastMomentFor(deadline))
      if (reply.outcome !== 'late') return reply
    }
    throw tooLate()
  }

  async #asked({ script, keys, args }: Question, wantedUntil: number | ''): Promise<RedisReply> {
    this.#questions += 1
    const nonce = `${this.#process}${this.#questions.toString(36)}`
    const rest = [keys.length, ...keys, nonce, this.#momentInstead?.() ?? '', wantedUntil, ...args]
    const askedAt = this.#clock.now()
    const [echo, moment, outcome, ...texts] = this.#textsIn(await this.#evaluate(script, rest))
    if (echo !== nonce) throw this.#distrusted('Redis replied to another question than was asked')
    if (outcome === 'unreadable') {
      const key = keys[Number(texts[0]) - 1]
      throw new UnreadableKey(`the key ${key} cannot be read: it was written by a newer release, or damaged`)
    }
    this.#clock.learn(Number(moment), askedAt, outcome === 'late')
    return { moment: Number(moment), outcome: outcome ?? '', texts }
  }

  /** Runs a script by its SHA-1, and sends the source only when this Redis does not know it yet. */
  async #evaluate(script: RedisScript, rest: readonly (string | number)[]): Promise<unknown> {
    try {
      return await this.#call('EVALSHA', script.sha1, ...rest)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return this.#call('EVAL', script.source, ...rest)
    }
  }

  /**
   * After a failover the address may lead to the new primary, while the connection still leads to the old
   * one, which is a replica now.
   */
  async #call(command: string, ...args: (string | number)[]): Promise<unknown> {
    try {
      return await this.#connection.call(command, ...args)
    } catch (error) {
      if (error instanceof Error && /\b(?:READONLY|MASTERDOWN)\b/.test(error.message)) this.#reconnect()
      throw error
    }
  }

  #textsIn(reply: unknown): string[] {
    if (Array.isArray(reply) && reply.every((text) => typeof text === 'string')) return reply
    throw this.#distrusted('Redis replied with something else than was asked for')
  }

  /** Later replies of this connection may belong to other questions, too. */
  #distrusted(why: string): StoreFailure {
    this.#reconnect()
    return new StoreFailure(this.#connection.isRenewable ? `${why}: the connection is given up` : why)
  }

  /** Many replies of a kind may come before a connection is closed, and the next one may be no better. */
  #reconnect(): void {
    const now = this.#clock.now()
    if (now - this.#givenUpAt < PAUSE_MICROS) return
    this.#givenUpAt = now
    this.#connection.renew()
  }
}
