import { type Countdown, countdown } from '../deadline.js'
import { endOfTurn } from '../turn-end.js'
import { unexpectedReply } from './redis-lines.js'
import type { RedisMarks } from './redis-marks.js'
import { isOnSeveralServers, type RedisQuestions, unreadable } from './redis-questions.js'
import { CHANGE_VALUES, MOST_VALUES, TEXTS_OF_A_CHANGE } from './redis-value-scripts.js'

/** A script keeps Redis from everything else. */
const MOST_CHANGES = 200

/** A change of a shared value, with the arguments of `CHANGE_VALUES`. */
export interface RedisValueChange {
  readonly key: string
  readonly what: 'replace' | 'add'
  readonly args: readonly [string | number, string | number, string | number]
  /** Of a change that replicas must have: what says nothing as a value. */
  readonly nothing?: string | undefined
}

/** What Redis says of a change. */
export interface RedisValueReply {
  /** The time by the clock of Redis, in microseconds since 1970. */
  readonly moment: number
  /** `replaced`, `other` or `added`. */
  readonly outcome: string
  /** Empty where there are fewer. */
  readonly texts: readonly string[]
}

interface WaitingChange extends RedisValueChange {
  readonly resolve: (reply: RedisValueReply) => void
  readonly reject: (error: unknown) => void
}

/** Changes that are sent together. */
interface Batch {
  /** By a test clock, when they were asked for. */
  readonly testMoment: number | undefined
  readonly withinMs: number | undefined
  readonly left: Countdown
  readonly places: Map<string, number>
  /** The keys of values that are replaced. */
  readonly replaced: Set<string>
  readonly changes: WaitingChange[]
}

/**
 * Changes shared values. On a single server, those that are asked for in one turn of the event loop are made
 * by one script, in order, and each has a reply of its own.
 */
export class RedisValues {
  readonly #questions: RedisQuestions
  readonly #marks: RedisMarks
  /** What is sent at the end of this turn, in order. */
  #batches: Batch[] = []

  constructor(questions: RedisQuestions, marks: RedisMarks) {
    this.#questions = questions
    this.#marks = marks
  }

  change(change: RedisValueChange, withinMs?: number): Promise<RedisValueReply> {
    return new Promise((resolve, reject) => {
      if (this.#batches.length === 0) void endOfTurn().then(() => this.#sendAll())
      const batch = this.#batchFor(change, withinMs)
      const { places, replaced, changes } = batch
      if (!places.has(change.key)) places.set(change.key, places.size + 1)
      if (change.what === 'replace') replaced.add(change.key)
      changes.push({ ...change, resolve, reject })
    })
  }

  #batchFor(change: RedisValueChange, withinMs: number | undefined): Batch {
    const testMoment = this.#questions.testMoment()
    const last = this.#batches.at(-1)
    const isInTime = last?.withinMs === withinMs && msIn(last?.testMoment) === msIn(testMoment)
    if (last && isInTime && this.#fits(last, change)) return last
    const [places, replaced] = [new Map<string, number>(), new Set<string>()]
    const batch = { testMoment, withinMs, left: countdown(withinMs), places, replaced, changes: [] }
    this.#batches.push(batch)
    return batch
  }

  /**
   * What replicas must have goes alone. Counts of one value go together. A replacement is alone with its
   * value: a later one is written at a later time.
   */
  #fits({ places, replaced, changes }: Batch, { key, what, nothing }: RedisValueChange): boolean {
    if (nothing !== changes[0]?.nothing || nothing !== undefined) return false
    if (this.#marks.isSharded || changes.length >= MOST_CHANGES) return false
    if (!places.has(key)) return places.size < MOST_VALUES
    return what === 'add' && !replaced.has(key)
  }

  #sendAll(): void {
    const batches = this.#batches
    this.#batches = []
    for (const batch of batches) void this.#send(batch)
  }

  /** Never rejects. */
  async #send(batch: Batch): Promise<void> {
    const { changes, places, left, testMoment } = batch
    try {
      const keys = [...places.keys()]
      const args = changes.flatMap(({ key, what, args }) => [places.get(key) ?? 0, what, ...args])
      const nothing = changes[0]?.nothing
      const question = { script: CHANGE_VALUES, keys, args, testMoment, nothing }
      const { moment, texts } = await this.#questions.ask(question, left())
      if (texts.length !== changes.length * TEXTS_OF_A_CHANGE) throw unexpectedReply()
      changes.forEach(({ key, resolve, reject }, index) => {
        const [outcome = '', ...rest] = texts.slice(
          index * TEXTS_OF_A_CHANGE,
          (index + 1) * TEXTS_OF_A_CHANGE,
        )
        if (outcome === 'unreadable') reject(unreadable(key))
        else resolve({ moment, outcome, texts: rest })
      })
    } catch (error) {
      if (places.size > 1 && isRefusedTogether(error)) this.#sendApart(batch, error)
      else for (const { reject } of changes) reject(error)
    }
  }

  /** Nothing has been changed: the keys are on several servers, or one of them holds no value of ours. */
  #sendApart({ changes, ...batch }: Batch, error: unknown): void {
    if (isOnSeveralServers(error)) this.#marks.separate()
    for (const change of changes)
      void this.#send({ ...batch, places: new Map([[change.key, 1]]), changes: [change] })
  }
}

/** A key that holds something else fails the script before it writes. */
function isRefusedTogether(error: unknown): boolean {
  return isOnSeveralServers(error) || (error instanceof Error && error.message.includes('WRONGTYPE'))
}

function msIn(moment: number | undefined): number | undefined {
  return moment === undefined ? undefined : Math.floor(moment / 1000)
}
