import type { StoredVisit } from '../sessions/store.js'
import { groupIn, type SessionAddress } from '../sessions/token.js'
import { TurnEnd } from '../turn-end.js'
import type { GroupMarks } from './redis-group-marks.js'
import type { RedisKeys } from './redis-keys.js'
import type { RedisMarks } from './redis-marks.js'
import type { RedisQuestions } from './redis-questions.js'
import { visitIn } from './stored-user.js'

/** What ends sooner is judged by Redis itself, as the time here is an estimate. */
const MARGIN_MICROS = 2_000_000
const MOST_TIMES_OF_MARKS = 4
/** Of a user who takes more room, a script replies with the one session that is asked for. */
const MOST_CHARACTERS = 4096
const MOST_REMEMBERED = 10_000

interface RedisReadsParts {
  readonly questions: RedisQuestions
  readonly keys: RedisKeys
  readonly marks: RedisMarks
}

/** What a single server held at the end of a turn. */
interface Findings {
  /** By the clock of Redis, in microseconds since 1970. */
  readonly moment: number
  readonly marks: GroupMarks
  /** The values of users, and the place of each by its handle. */
  readonly texts: readonly (string | null)[]
  readonly places: ReadonlyMap<string, number>
}

/**
 * Finds sessions on a single server: all users that are asked for in one turn are read by one command. Of
 * what is not certainly alive here, only a script can tell, whose reply carries a nonce and the time.
 */
export class RedisReads {
  readonly #parts: RedisReadsParts
  /** The places of those to be read at the end of this turn, by their handles. */
  #places = new Map<string, number>()
  readonly #turnEnd = new TurnEnd(() => this.#readAll())
  #reads = 0
  /**
   * Of what a script is asked at once: users who take too much room, by handle, and sessions that were not
   * found, by id. Two round trips to a slow Redis may be too long for a 401, so whoever asks again needs one.
   */
  readonly #forScripts = new Set<string>()

  constructor(parts: RedisReadsParts) {
    this.#parts = parts
  }

  /**
   * Returns a session that is certainly alive at the end of this turn; undefined where only a script can
   * tell.
   */
  async find(address: SessionAddress): Promise<StoredVisit | undefined> {
    const { handle, sessionId } = address
    if (this.#forScripts.has(handle) || this.#forScripts.has(sessionId)) return undefined
    if (!this.#places.has(handle)) this.#places.set(handle, this.#places.size)
    const findings = await this.#turnEnd.result()
    if (!findings) return undefined
    const text = findings.texts[findings.places.get(handle) ?? -1] ?? ''
    if (text.length > MOST_CHARACTERS) this.#remember(handle)
    if (!text.includes(sessionId)) this.#remember(sessionId)
    const { moment, marks } = findings
    const moments = { earliest: moment, latest: moment + MARGIN_MICROS }
    return visitIn(text, sessionId, marks.of(groupIn(handle)), moments)
  }

  #remember(name: string): void {
    // Who takes less room by now is read with the others again.
    if (this.#forScripts.size >= MOST_REMEMBERED) this.#forScripts.clear()
    this.#forScripts.add(name)
  }

  /**
   * The marks are asked for one to four times by turns, so that a reply has another length than those to the
   * questions before, should the connection have lost one of them.
   */
  async #readAll(): Promise<Findings | undefined> {
    const { questions, keys, marks } = this.#parts
    const places = this.#places
    this.#places = new Map()
    this.#reads += 1
    const asked: string[] = []
    for (const handle of places.keys()) asked.push(keys.user(handle))
    for (let times = this.#reads % MOST_TIMES_OF_MARKS; times >= 0; times -= 1) asked.push(keys.all)
    const [moment, texts] = await Promise.all([
      questions.momentNow() ?? marks.tellTime(),
      questions.valuesOf(asked),
    ])
    const known = texts && marks.learn(texts[places.size] ?? null)
    return known && { moment, marks: known, texts, places }
  }
}
