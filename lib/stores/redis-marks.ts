import { type Countdown, countdown } from '../deadline.js'
import { checkInTime } from '../sessions/store.js'
import { END_ALL, PING, READ_ALL } from './redis-key-scripts.js'
import type { Question, RedisQuestions, RedisReply } from './redis-questions.js'
import type { UserScript } from './redis-user-scripts.js'

export interface UserQuestion {
  readonly script: UserScript
  readonly user: string
  readonly args: Question['args']
}

/** Runs scripts about users. Sessions that began at the mark of all, or before, are over. */
export class RedisMarks {
  readonly #questions: RedisQuestions
  readonly #all: string
  #isSharded: boolean
  /** The mark of all that was last read. */
  #mark = 0

  constructor(questions: RedisQuestions, all: string, isSharded: boolean) {
    this.#questions = questions
    this.#all = all
    this.#isSharded = isSharded
  }

  /** Whether the key of a user and the mark of all may be on different servers. */
  get isSharded(): boolean {
    return this.#isSharded
  }

  /**
   * Whether the last mark that was read ends this session. On a single server the script checks that itself.
   */
  hasEnded(beganAt: number): boolean {
    return this.#isSharded && beganAt <= this.#mark
  }

  /** Writes the mark unchanged, which takes what a login takes: scripts, a writable server and memory. */
  async prove(): Promise<void> {
    await this.#questions.ask({ script: PING, keys: [this.#all], args: [] })
  }

  /** Sets the mark to now, or to `atLeast` if that is later. Returns it and the one before. */
  async endAll(atLeast: number, withinMs?: number): Promise<{ mark: number; before: number }> {
    const question = { script: END_ALL, keys: [this.#all], args: [atLeast] }
    const { texts } = await this.#questions.ask(question, withinMs)
    const [before = 0, mark = 0] = texts.map(Number)
    this.#mark = mark
    return { mark, before }
  }

  async ask(question: UserQuestion, withinMs?: number): Promise<RedisReply> {
    const left = countdown(withinMs)
    if (!this.#isSharded) {
      const { script, user, args } = question
      const together = { script: script.together, keys: [user, this.#all], args: ['', ...args] }
      try {
        return await this.#questions.ask(together, left())
      } catch (error) {
        // Only this reply shows that a proxy hides a cluster.
        if (!(error instanceof Error && /CROSSSLOT|same slot/i.test(error.message))) throw error
        this.#isSharded = true
      }
    }
    return this.#askApart(question, left)
  }

  /** A change needs the mark first; for a read, `hasEnded` checks it afterwards. */
  async #askApart({ script, user, args }: UserQuestion, left: Countdown): Promise<RedisReply> {
    const ask = () =>
      this.#questions.ask({ script: script.apart, keys: [user], args: [this.#mark, ...args] }, left())
    if (script.isChange) {
      await this.#read(left)
      return ask()
    }
    const [reply] = await Promise.all([ask(), this.#read(left)])
    return reply
  }

  async #read(left: Countdown): Promise<void> {
    checkInTime(left())
    const { texts } = await this.#questions.ask({ script: READ_ALL, keys: [this.#all], args: [] })
    this.#mark = Math.max(this.#mark, Number(texts[0]))
  }
}
