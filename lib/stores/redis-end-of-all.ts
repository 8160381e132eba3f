import { countdown } from '../deadline.js'
import { checkInTime, type RevokedBatch } from '../sessions/store.js'
import { isClusterClient, type RedisClient } from './redis-client.js'
import { connectionOf } from './redis-connection.js'
import type { RedisKeys } from './redis-keys.js'
import { unexpectedReply } from './redis-lines.js'
import type { RedisMarks } from './redis-marks.js'
import { latestMomentIn, mastersOf } from './redis-masters.js'
import { UnreadableKey } from './redis-questions.js'
import { CLEAR } from './redis-user-scripts.js'

const SCAN_COUNT = 500
/** By how much the clocks of the servers of a cluster may differ. */
const TOLERANCE_MICROS = 60_000_000

interface EndOfAllParts {
  readonly client: RedisClient
  readonly keys: RedisKeys
  readonly marks: RedisMarks
  /** Whether the time comes from a test and not from Redis. */
  readonly hasTestClock: boolean
}

/** Ends everybody by a mark, then clears away what that has ended, on one master after the other. */
export class RedisEndOfAll {
  readonly #parts: EndOfAllParts

  constructor(parts: EndOfAllParts) {
    this.#parts = parts
  }

  /** Sets the mark, at once and then by the clock of the master that is ahead of the others. */
  async begin(withinMs?: number): Promise<RevokedBatch> {
    const left = countdown(withinMs)
    const { mark, before } = await this.#parts.marks.endAll(0, left())
    const asksMasters = isClusterClient(this.#parts.client) && !this.#parts.hasTestClock
    const latest = asksMasters ? await latestMomentIn(this.#parts.client, left) : mark
    const last = latest > mark ? (await this.#parts.marks.endAll(latest, left())).mark : mark
    return { revoked: 0, next: [last, before, '', '0'].join(':') }
  }

  async goOn(cursor: string, withinMs?: number): Promise<RevokedBatch> {
    const left = countdown(withinMs)
    checkInTime(left())
    const [mark = '', before = '', nodeId = '', position = '0'] = cursor.split(':')
    const masters = await mastersOf(this.#parts.client, left)
    const ids = [...masters.keys()]
    const at = Math.max(0, ids.indexOf(nodeId))
    const node = masters.get(ids[at] ?? '') ?? connectionOf(this.#parts.client)

    checkInTime(left())
    const reply = await node.call(
      'SCAN',
      position,
      'MATCH',
      this.#parts.keys.userPattern,
      'COUNT',
      SCAN_COUNT,
    )
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw unexpectedReply()
    const handles = reply[1].flatMap((key) => this.#parts.keys.handleIn(String(key)))
    const ended = await Promise.all(handles.map((handle) => this.#clear(handle, mark, before, left())))
    const next = nextPosition(ids, at, String(reply[0]))
    return {
      revoked: ended.reduce((sum, count) => sum + count, 0),
      next: next && [mark, before, next].join(':'),
    }
  }

  /** Nobody gets in by what cannot be read, so it does not stand in the way of the others. */
  async #clear(handle: string, mark: string, before: string, withinMs?: number): Promise<number> {
    const args = [mark, before, this.#parts.marks.isSharded ? TOLERANCE_MICROS : 0]
    try {
      const { texts } = await this.#parts.marks.ask(
        { script: CLEAR, user: this.#parts.keys.user(handle), args },
        withinMs,
      )
      return Number(texts[0])
    } catch (error) {
      if (error instanceof UnreadableKey || isWrongType(error)) return 0
      throw error
    }
  }
}

function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.includes('WRONGTYPE')
}

/** Where SCAN goes on: on this master, on the next, or nowhere. */
function nextPosition(ids: readonly string[], at: number, position: string): string | undefined {
  if (position !== '0') return `${ids[at]}:${position}`
  return at + 1 < ids.length ? `${ids[at + 1]}:0` : undefined
}
