import type { StoredVisit } from '../sessions/store.js'
import { groupIn, type SessionAddress } from '../sessions/token.js'
import type { GroupMarks } from './redis-group-marks.js'
import type { RedisKeys } from './redis-keys.js'
import { lineIn, profileIn } from './redis-lines.js'
import type { RedisMarks } from './redis-marks.js'
import type { RedisQuestions } from './redis-questions.js'
import { TurnEnd } from './turn-end.js'

/** What ends sooner is judged by Redis itself, as the time here is an estimate. */
const MARGIN_MS = 2_000

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
  readonly users: ReadonlyMap<string, string | null>
}

/**
 * Finds sessions on a single server: all users that are asked for in one turn are read by one command. Of
 * what is not certainly alive here, only a script can tell, whose reply carries a nonce and the time.
 */
export class RedisReads {
  readonly #parts: RedisReadsParts
  /** Those to be read at the end of this turn. */
  #handles = new Set<string>()
  readonly #turnEnd = new TurnEnd(() => this.#readAll())
  #reads = 0

  constructor(parts: RedisReadsParts) {
    this.#parts = parts
  }

  /** Returns a session that is certainly alive; undefined where only a script can tell. */
  async find({ handle, sessionId }: SessionAddress): Promise<StoredVisit | undefined> {
    this.#handles.add(handle)
    const findings = await this.#turnEnd.result()
    const text = findings?.users.get(handle)
    if (!findings || !text) return undefined
    const begin = text.indexOf(`\n${sessionId}`) + 1
    if (begin === 0) return undefined
    const end = text.indexOf('\n', begin)
    const line = lineIn(text.slice(begin, end < 0 ? undefined : end), findings.moment)
    const profile = profileIn(text)
    if (!line || !profile || line.beganAt <= findings.marks.of(groupIn(handle))) return undefined
    const { session } = line
    if (Math.min(session.endsAt, profile.endsAt) - session.readAt <= MARGIN_MS) return undefined
    return { ...session, readAt: readAtOf(session), userInfo: profile.text || null }
  }

  /**
   * The marks are first and last by turns, so that the reply to the question before is not taken for that to
   * this one.
   */
  async #readAll(): Promise<Findings | undefined> {
    const { questions, keys, marks } = this.#parts
    const handles = [...this.#handles]
    this.#handles = new Set()
    this.#reads += 1
    const areMarksFirst = this.#reads % 2 === 0
    const asked = handles.map((handle) => keys.user(handle))
    const [moment, texts] = await Promise.all([
      questions.momentNow() ?? marks.tellTime(),
      questions.valuesOf(areMarksFirst ? [keys.all, ...asked] : [...asked, keys.all]),
    ])
    const known = texts && marks.learn(texts[areMarksFirst ? 0 : handles.length] ?? null)
    if (!known) return undefined
    const first = areMarksFirst ? 1 : 0
    return {
      moment,
      marks: known,
      users: new Map(handles.map((handle, at) => [handle, texts[first + at] ?? null])),
    }
  }
}

/** The estimate lags a little behind. Nothing was written later, unless the clock was set back. */
function readAtOf({ readAt, lastVisitAt }: StoredVisitTimes): number {
  return lastVisitAt - readAt <= MARGIN_MS ? Math.max(readAt, lastVisitAt) : readAt
}

type StoredVisitTimes = Pick<StoredVisit, 'readAt' | 'lastVisitAt'>
