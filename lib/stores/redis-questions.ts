import { randomBytes } from 'node:crypto'
import { countdown } from '../deadline.js'
import { StoreFailure, tooLate } from '../sessions/store.js'
import { isOutage } from '../sessions/store-outage.js'
import { isClusterClient, type RedisClient } from './redis-client.js'
import { RedisClock } from './redis-clock.js'
import { connectionOf, type RedisConnection } from './redis-connection.js'
import type { ReplicaWait } from './redis-replica-wait.js'
import type { RedisScript } from './redis-script.js'

/** The shortest time between two reconnections. */
const PAUSE_MICROS = 1_000_000
/** So many keys are read by one command: it keeps Redis from everything else. */
const MOST_KEYS = 500
/** How an error begins that Redis, or a proxy, has replied with. */
const ERROR_REPLY = /^[A-Z]+ /
/** For how long replicas are awaited where the caller sets no limit. */
const WAIT_MS = 1_000

/** The reply of a script. */
export interface RedisReply {
  /** The time by the clock of Redis, in microseconds since 1970. */
  readonly moment: number
  /** `ok`, `none`, `late` and so on. */
  readonly outcome: string
  readonly texts: readonly string[]
}

export interface Question {
  readonly script: RedisScript
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
  /** By a test clock, when it was asked. Default: when it is sent. */
  readonly testMoment?: number | undefined
  /** Of a change that replicas must have: what says nothing as the value of `KEYS[1]`. */
  readonly nothing?: string | undefined
}

/** The value of a key is damaged, or was written by a newer release. */
export class UnreadableKey extends StoreFailure {}

export function unreadable(key: string | undefined): UnreadableKey {
  return new UnreadableKey(`the key ${key} cannot be read: it was written by a newer release, or damaged`)
}

/**
 * Runs scripts. A nonce in each question and its reply shows that they belong together. A change carries the
 * time by which it must be made, by the clock of Redis.
 */
export class RedisQuestions {
  readonly #connection: RedisConnection
  readonly #clock: RedisClock
  /** Replaces the clock of Redis. */
  readonly #testClock: (() => number) | undefined
  /** Undefined: no change waits for replicas. */
  readonly #replicaWait: ReplicaWait | undefined
  readonly #process = randomBytes(3).toString('base64url')
  #questions = 0
  #reconnectedAt = Number.NEGATIVE_INFINITY

  constructor(client: RedisClient, testClock: (() => number) | undefined, replicaWait?: ReplicaWait) {
    this.#replicaWait = replicaWait
    this.#connection = connectionOf(client)
    this.#clock = new RedisClock(isClusterClient(client))
    this.#testClock = testClock
  }

  /** Runs a script, a late change twice: the first reply has told the time. Throws `tooLate()`. */
  async ask(question: Question, withinMs?: number): Promise<RedisReply> {
    if (withinMs === undefined) return this.#askOnce(question, '', countdown(WAIT_MS))
    const deadline = this.#clock.now() + withinMs * 1000
    const leftMs = () => (deadline - this.#clock.now()) / 1000
    for (let tries = 0; tries < 2 && leftMs() > 0; tries += 1) {
      const reply = await this.#askOnce(question, this.#clock.lastMomentFor(deadline), leftMs)
      if (reply.outcome !== 'late') return reply
    }
    throw tooLate()
  }

  /**
   * Reads texts of one server, 500 by one command; undefined when it replies with something else, or with an
   * error, such as of keys on several servers, or of a user without the right. No nonce shows that the reply
   * belongs to this question.
   */
  async valuesOf(keys: readonly string[]): Promise<(string | null)[] | undefined> {
    if (keys.length > MOST_KEYS) return this.#valuesInParts(keys)
    try {
      const reply = await this.#call('MGET', ...keys)
      return Array.isArray(reply) && reply.length === keys.length && reply.every(isValue) ? reply : undefined
    } catch (error) {
      if (error instanceof Error && ERROR_REPLY.test(error.message) && !isOutage(error)) return undefined
      throw error
    }
  }

  /** The last keys are read last. */
  async #valuesInParts(keys: readonly string[]): Promise<(string | null)[] | undefined> {
    const [first, rest] = await Promise.all([
      this.valuesOf(keys.slice(0, MOST_KEYS)),
      this.valuesOf(keys.slice(MOST_KEYS)),
    ])
    return first && rest && [...first, ...rest]
  }

  /** Returns the time in Redis, in microseconds since 1970; undefined when it has to be asked. */
  momentNow(): number | undefined {
    return this.#testClock ? this.#testClock() : this.#clock.momentNow()
  }

  /** Returns the time by the test clock; undefined where there is none. */
  testMoment(): number | undefined {
    return this.#testClock?.()
  }

  async #askOnce(question: Question, wantedUntil: number | '', leftMs: () => number): Promise<RedisReply> {
    const { keys, args, testMoment } = question
    this.#questions += 1
    const nonce = `${this.#process}${this.#questions.toString(36)}`
    const toldMoment = testMoment ?? this.testMoment() ?? ''
    const head = [nonce, toldMoment, wantedUntil]
    const rest = [keys.length, ...keys, ...head, ...args]
    const askedAt = this.#clock.now()
    const [echo, moment, outcome, ...texts] = this.#textsIn(
      await this.#evaluate(question, rest, head, leftMs),
    )
    if (echo !== nonce) throw this.#distrusted('Redis replied to another question than was asked')
    if (outcome === 'unreadable') throw unreadable(keys[Number(texts[0]) - 1])
    this.#clock.learn(Number(moment), askedAt, outcome === 'late')
    return { moment: Number(moment), outcome: outcome ?? '', texts }
  }

  async #evaluate(
    { script, keys, nothing }: Question,
    rest: readonly (string | number)[],
    head: readonly (string | number)[],
    leftMs: () => number,
  ): Promise<unknown> {
    // It changes nothing, and learns the time: there is nothing to wait for.
    const isTooLate = head[2] === 0
    const send = (command: string, ...args: (string | number)[]) => {
      const [key = ''] = keys
      if (nothing === undefined || !this.#replicaWait || isTooLate) return this.#call(command, ...args)
      const change = { key, command: [command, ...args], head, nothing }
      return this.#heeded(this.#replicaWait.send(change, leftMs))
    }
    try {
      return await send('EVALSHA', script.sha1, ...rest)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      return send('EVAL', script.source, ...rest)
    }
  }

  #call(command: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#heeded(this.#connection.call(command, ...args))
  }

  async #heeded(reply: Promise<unknown>): Promise<unknown> {
    try {
      return await reply
    } catch (error) {
      // After a failover the connection may still lead to the old primary, which is a replica now.
      if (error instanceof Error && /\b(?:READONLY|MASTERDOWN)\b/.test(error.message)) this.#reconnect()
      throw error
    }
  }

  #textsIn(reply: unknown): string[] {
    if (Array.isArray(reply) && reply.every((text) => typeof text === 'string')) return reply
    throw this.#distrusted('Redis replied with something else than was asked for')
  }

  /** Further replies on this connection may be wrong, too. */
  #distrusted(why: string): StoreFailure {
    this.#reconnect()
    return new StoreFailure(this.#connection.isRenewable ? `${why}: the connection is given up` : why)
  }

  #reconnect(): void {
    const now = this.#clock.now()
    if (now - this.#reconnectedAt < PAUSE_MICROS) return
    this.#reconnectedAt = now
    this.#connection.renew()
    this.#replicaWait?.renew()
  }
}

function isValue(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

/** Whether the keys are on several servers of a cluster, perhaps behind a proxy that hides it. */
export function isOnSeveralServers(error: unknown): boolean {
  return error instanceof Error && /CROSSSLOT|same slot/i.test(error.message)
}
