import { type Countdown, countdown } from '../deadline.js'
import { checkInTime } from '../sessions/store.js'
import { END_ALL, PING, READ_ALL } from './redis-key-scripts.js'
import type { RedisQuestions, RedisReply } from './redis-questions.js'
import type { UserScript } from './redis-user-scripts.js'

/** A script that is asked about a user. */
export interface UserQuestion {
  readonly script: UserScript
  readonly user: string
  readonly args: readonly (string | number)[]
}

/** What was written when everybody was ended: moments in microseconds since 1970. */
export interface EndOfAll {
  readonly mark: number
  readonly before: number
}

/** Runs scripts about users, with the mark of all. What began at the mark or before is over. */
export class RedisMarks {
  readonly #questions: RedisQuestions
  readonly #all: string
  /** Whether the key of a user and the mark of all may lie on different servers. */
  #isSharded: boolean
  /** The mark of all as it was last seen. */
  #mark = 0

  constructor(questions: RedisQuestions, all: string, isSharded: boolean) {
    this.#questions = questions
    this.#all = all
    this.#isSharded = isSharded
  }

  get isSharded(): boolean {
    return this.#isSharded
  }

  /**
   * Whether what began at this moment was ended with everybody, by the last mark seen. Where one server has
   * both keys the script has looked at the mark itself.
   */
  hasEnded(beganAt: number): boolean {
    return this.#isSharded && beganAt <= this.#mark
  }

  /**
   * Writes the mark as it is. It takes what a login takes: scripts, a server that may be written to, and
   * room.
   */
  async prove(): Promise<void> {
    await this.#questions.ask({ script: PING, keys: [this.#all], args: [] })
  }

  /**
   * Sets the mark to this moment, or to a later one that is named: the clocks of the masters of a cluster
   * differ.
   */
  async endAll(atLeast: number, withinMs?: number): Promise<EndOfAll> {
    const question = { script: END_ALL, keys: [this.#all], args: [atLeast] }
    const { texts } = await this.#questions.ask(question, withinMs)
    const [before = 0, mark = 0] = texts.map(Number)
    this.#mark = mark
    return { mark, before }
  }

  /** Asks about a user. A proxy in front of a cluster shows itself only by what it refuses. */
  async ask(question: UserQuestion, withinMs?: number): Promise<RedisReply> {
    const left = countdown(withinMs)
    if (!this.#isSharded) {
      const { script, user, args } = question
      const together = { script: script.together, keys: [user, this.#all], args: ['', ...args] }
      try {
        return await this.#questions.ask(together, left())
      } catch (error) {
        if (!(error instanceof Error && /CROSSSLOT|same slot/i.test(error.message))) throw error
        this.#isSharded = true
      }
    }
    return this.#askApart(question, left)
  }

  /** A change needs the mark first; a read can look at it afterwards. */
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

  /** Reads the mark, unless no time is left. */
  async #read(left: Countdown): Promise<void> {
    checkInTime(left())
    const { texts } = await this.#questions.ask({ script: READ_ALL, keys: [this.#all], args: [] })
    this.#mark = Math.max(this.#mark, Number(texts[0]))
  }
}
