import { countdown } from '../deadline.js'
import { checkInTime, type RevokedBatch } from '../sessions/store.js'
import { groupIn } from '../sessions/token.js'
import { isClusterClient, type RedisClient } from './redis-client.js'
import { connectionOf } from './redis-connection.js'
import { GroupMarks } from './redis-group-marks.js'
import type { RedisKeys } from './redis-keys.js'
import { unexpectedReply } from './redis-lines.js'
import type { RedisMarks } from './redis-marks.js'
import { latestMomentIn, mastersOf } from './redis-masters.js'
import { UnreadableKey } from './redis-questions.js'
import { CLEAR } from './redis-user-scripts.js'

const GROUP = /^[\w-]{4}$/
const SCAN_COUNT = 500
/** By how much the clocks of a cluster may differ. */
const TOLERANCE_MICROS = 60_000_000

/** What was ended, and by which mark. */
interface End {
  readonly mark: string
  readonly before: GroupMarks
}

interface EndOfAllParts {
  readonly client: RedisClient
  readonly keys: RedisKeys
  readonly marks: RedisMarks
  /** Whether a test clock replaces that of Redis. */
  readonly hasTestClock: boolean
}

/** Ends all sessions, or those of a group, by a mark, then deletes them, on one master after the other. */
export class RedisEndOfAll {
  readonly #parts: EndOfAllParts

  constructor(parts: EndOfAllParts) {
    this.#parts = parts
  }

  /** Sets the mark, then once more if the clock of another master is ahead. */
  async begin(group: string | null, withinMs?: number): Promise<RevokedBatch> {
    checkGroup(group)
    const { client, marks, hasTestClock } = this.#parts
    const left = countdown(withinMs)
    const { mark, before } = await marks.endAll(group, 0, left())
    const latest = isClusterClient(client) && !hasTestClock ? await latestMomentIn(client, left) : mark
    const last = latest > mark ? (await marks.endAll(group, latest, left())).mark : mark
    return { revoked: 0, next: [group ?? '', last, before, '', '0'].join(':') }
  }

  /** Deletes a part of what the mark has ended. */
  async goOn(group: string | null, cursor: string, withinMs?: number): Promise<RevokedBatch> {
    checkGroup(group)
    const { client, keys } = this.#parts
    const left = countdown(withinMs)
    checkInTime(left())
    const [of, mark = '', before = '', nodeId = '', position = '0'] = cursor.split(':')
    if (of !== (group ?? '')) throw new TypeError('RedisStore: the cursor is of another group')
    const end = { mark, before: GroupMarks.from(before) }
    const masters = await mastersOf(client, left)
    const ids = [...masters.keys()]
    const at = Math.max(0, ids.indexOf(nodeId))
    const node = masters.get(ids[at] ?? '') ?? connectionOf(client)

    checkInTime(left())
    const reply = await node.call('SCAN', position, 'MATCH', keys.usersOf(group), 'COUNT', SCAN_COUNT)
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw unexpectedReply()
    const handles = reply[1].flatMap((key) => keys.handleIn(String(key)))
    const ended = await Promise.all(handles.map((handle) => this.#clear(handle, end, left())))
    const next = nextPosition(ids, at, String(reply[0]))
    return {
      revoked: ended.reduce((sum, count) => sum + count, 0),
      next: next && [of, mark, before, next].join(':'),
    }
  }

  async #clear(handle: string, { mark, before }: End, withinMs?: number): Promise<number> {
    const { marks } = this.#parts
    const args = [mark, before.of(groupIn(handle)), marks.isSharded ? TOLERANCE_MICROS : 0]
    try {
      const { texts } = await marks.ask({ script: CLEAR, handle, args }, withinMs)
      return Number(texts[0])
    } catch (error) {
      // No session in an unreadable key is valid, and the others have to end.
      if (error instanceof UnreadableKey || isWrongType(error)) return 0
      throw error
    }
  }
}

function checkGroup(group: string | null): void {
  if (group === null || GROUP.test(group)) return
  throw new TypeError('RedisStore: revokeBatch needs a group, the first 4 characters of a handle, or null')
}

function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.includes('WRONGTYPE')
}

/** The next position of SCAN, on this master or the next; undefined after the last one. */
function nextPosition(ids: readonly string[], at: number, position: string): string | undefined {
  if (position !== '0') return `${ids[at]}:${position}`
  return at + 1 < ids.length ? `${ids[at + 1]}:0` : undefined
}
