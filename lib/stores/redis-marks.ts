import { type Countdown, countdown } from '../deadline.js'
import { checkInTime } from '../sessions/store.js'
import { groupIn } from '../sessions/token.js'
import { TurnEnd } from '../turn-end.js'
import { GroupMarks } from './redis-group-marks.js'
import { END_ALL, PING, READ_ALL } from './redis-key-scripts.js'
import type { RedisKeys } from './redis-keys.js'
import { unexpectedReply } from './redis-lines.js'
import { isOnSeveralServers, type Question, type RedisQuestions, type RedisReply } from './redis-questions.js'
import { NO_MARKS, NO_USER } from './redis-script.js'
import type { UserScript } from './redis-user-scripts.js'

export interface UserQuestion {
  readonly script: UserScript
  readonly handle: string
  readonly args: Question['args']
}

/**
 * Runs scripts about users. Sessions that began at the mark of everybody or of their group, or before, are
 * over.
 */
export class RedisMarks {
  readonly #questions: RedisQuestions
  readonly #keys: RedisKeys
  #isSharded: boolean
  /** What was last read. */
  #last = { text: NO_MARKS, marks: GroupMarks.from(NO_MARKS) }
  /** The latest of all that was ever read. */
  #latest = this.#last.marks
  /** All who read a user in one turn read the marks once. */
  readonly #turnEnd = new TurnEnd(() => this.#read())

  constructor(questions: RedisQuestions, keys: RedisKeys, isSharded: boolean) {
    this.#questions = questions
    this.#keys = keys
    this.#isSharded = isSharded
  }

  /** Whether the key of a user and the marks may be on different servers. */
  get isSharded(): boolean {
    return this.#isSharded
  }

  /** Notes that keys may be on different servers, as a proxy in front of a cluster has replied. */
  separate(): void {
    this.#isSharded = true
  }

  /**
   * Returns the latest marks that are known, after reading a text of marks; empty where an earlier reply has
   * brought them.
   */
  latestWith(text: string): GroupMarks {
    if (text !== '') this.#learnReply(text)
    return this.#latest
  }

  /**
   * Whether the marks that were last read end a session of this user. On a single server the script checks
   * that itself.
   */
  hasEnded(handle: string, beganAt: number): boolean {
    return this.#isSharded && beganAt <= this.#latest.of(groupIn(handle))
  }

  /** Writes the marks unchanged, which takes what a login takes: scripts, a writable server and memory. */
  async prove(): Promise<void> {
    await this.#questions.ask({ script: PING, keys: [this.#keys.all], args: [], nothing: NO_MARKS })
  }

  /**
   * Sets the mark of a group, or of everybody (null), to now, or to `atLeast` if that is later. Returns it
   * and the text of all marks before.
   */
  async endAll(
    group: string | null,
    atLeast: number,
    withinMs?: number,
  ): Promise<{ mark: number; before: string }> {
    const question = {
      script: END_ALL,
      keys: [this.#keys.all],
      args: [atLeast, group ?? ''],
      nothing: NO_MARKS,
    }
    const { texts } = await this.#questions.ask(question, withinMs)
    const [mark = '', before = ''] = texts
    this.#learnReply(before)
    this.#learnReply(group === null ? mark : `${NO_MARKS}\n${group}${mark}`)
    return { mark: Number(mark), before }
  }

  async ask(question: UserQuestion, withinMs?: number): Promise<RedisReply> {
    const left = countdown(withinMs)
    if (!this.#isSharded) {
      const { script, handle, args } = question
      const nothing = script.isAwaited ? NO_USER : undefined
      const keys = [this.#keys.user(handle), this.#keys.all]
      try {
        return await this.#questions.ask(
          { script: script.together, keys, args: [groupIn(handle), ...args], nothing },
          left(),
        )
      } catch (error) {
        // Only this reply shows that a proxy hides a cluster.
        if (!isOnSeveralServers(error)) throw error
        this.separate()
      }
    }
    return this.#askApart(question, left)
  }

  /** A change needs the marks first; for a read, `hasEnded` checks them afterwards. */
  async #askApart({ script, handle, args }: UserQuestion, left: Countdown): Promise<RedisReply> {
    const keys = [this.#keys.user(handle)]
    const nothing = script.isAwaited ? NO_USER : undefined
    const ask = () => {
      const mark = this.#latest.of(groupIn(handle))
      return this.#questions.ask({ script: script.apart, keys, args: [mark, ...args], nothing }, left())
    }
    if (script.isChange) {
      await this.#read(left)
      return ask()
    }
    const [reply] = await Promise.all([ask(), this.#turnEnd.result()])
    return reply
  }

  /** Asks for the time in Redis, in microseconds since 1970. */
  async tellTime(): Promise<number> {
    return (await this.#read()).moment
  }

  /** Asks for the mark of a group, or of everybody (null): 0 where there is none. */
  async tellMark(group: string | null): Promise<number> {
    await this.#read()
    return this.#latest.of(group)
  }

  /** Learns marks that were read, null for none, and returns them; undefined where these are no marks. */
  learn(text: string | null): GroupMarks | undefined {
    const written = text ?? NO_MARKS
    if (this.#last.text !== written) {
      const marks = GroupMarks.in(written)
      if (!marks) return undefined
      this.#last = { text: written, marks }
      this.#latest = this.#latest.latestWith(marks)
    }
    return this.#last.marks
  }

  async #read(left?: Countdown): Promise<RedisReply> {
    checkInTime(left?.())
    const reply = await this.#questions.ask({ script: READ_ALL, keys: [this.#keys.all], args: [] })
    this.#learnReply(reply.texts[0])
    return reply
  }

  #learnReply(text: string = ''): void {
    if (!this.learn(text)) throw unexpectedReply()
  }
}
