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
import { NO_MARKS } from './redis-script.js'
import { CLEAR } from './redis-user-scripts.js'

const GROUP = /^[\w-]{4}$/
const SCAN_COUNT = 500
/** By how much the clocks of a cluster may differ. */
const TOLERANCE_MICROS = 60_000_000
/** How often the masters are visited, at most, where keys went from one to another meanwhile. */
const MOST_ROUNDS = 3

/** What was ended, and by which mark. */
interface End {
  readonly mark: string
  readonly before: GroupMarks
  /** Which sessions seem to begin in the future because the clock of another server is ahead. */
  readonly toleranceMicros: number
}

/** Where the keys of users are visited next. */
interface Place {
  readonly nodeId: string
  readonly position: string
  /** How often all masters were visited before. */
  readonly rounds: number
  /** Which master had which slots when this round began. */
  readonly layout: string
}

/** Marks the cursor of a resumed clearing: sessions may have begun since its mark. */
const RESUMED = 'resumed'

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
    const { client, keys, marks } = this.#parts
    const left = countdown(withinMs)
    checkInTime(left())
    if (cursor === '') return this.#resume(group)
    const [of, mark = '', before = '', ...place] = cursor.split(':')
    if (of !== (group ?? '')) throw new TypeError('RedisStore: the cursor is of another group')
    const isResumed = place[4] === RESUMED
    const tolerance = marks.isSharded ? TOLERANCE_MICROS : 0
    const toleranceMicros = isResumed ? Number.MAX_SAFE_INTEGER : tolerance
    const end = { mark, before: GroupMarks.from(before), toleranceMicros }
    const { connections, layout } = await mastersOf(client, left)
    const ids = [...connections.keys()]
    const here = placeIn(place, ids, layout)
    const node = connections.get(here.nodeId) ?? connectionOf(client)

    checkInTime(left())
    const reply = await node.call('SCAN', here.position, 'MATCH', keys.usersOf(group), 'COUNT', SCAN_COUNT)
    if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw unexpectedReply()
    const handles = reply[1].flatMap((key) => keys.handleIn(String(key)))
    const ended = await Promise.all(handles.map((handle) => this.#clear(handle, end, left())))
    const next = nextPlace({ ...here, position: String(reply[0]) }, ids, layout)
    return {
      revoked: ended.reduce((sum, count) => sum + count, 0),
      next: next && [of, mark, before, ...fieldsOf(next), ...(isResumed ? [RESUMED] : [])].join(':'),
    }
  }

  /** Goes on with what the latest mark has ended. */
  async #resume(group: string | null): Promise<RevokedBatch> {
    const { marks } = this.#parts
    const mark = await marks.tellMark(group)
    const start = { nodeId: '', position: '0', rounds: 0, layout: '' }
    const next = [group ?? '', mark, NO_MARKS, ...fieldsOf(start), RESUMED].join(':')
    return { revoked: 0, next: mark === 0 ? undefined : next }
  }

  async #clear(handle: string, end: End, withinMs?: number): Promise<number> {
    const { marks } = this.#parts
    const args = [end.mark, end.before.of(groupIn(handle)), end.toleranceMicros]
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

/**
 * Reads the place behind a cursor. A master that is gone has no place any more: the one behind it is next.
 */
function placeIn(fields: readonly string[], ids: readonly string[], layoutNow: string): Place {
  const [sought = '', position = '0', rounds = '0', layout = ''] = fields
  const nodeId = ids.find((id) => id >= sought) ?? ids.at(-1) ?? ''
  return {
    nodeId,
    position: nodeId === sought ? position : '0',
    rounds: Number(rounds),
    layout: layout || layoutNow,
  }
}

function fieldsOf({ nodeId, position, rounds, layout }: Place): readonly (string | number)[] {
  return [nodeId, position, rounds, layout]
}

/**
 * The next place of SCAN, on this master or the next; undefined after the last one. Then keys may be on
 * masters that were visited before: of a master that was replaced, or in slots that have moved.
 */
function nextPlace(
  { nodeId, position, rounds, layout }: Place,
  ids: readonly string[],
  layoutNow: string,
): Place | undefined {
  if (position !== '0') return { nodeId, position, rounds, layout }
  const next = ids[ids.indexOf(nodeId) + 1]
  if (next !== undefined) return { nodeId: next, position, rounds, layout }
  if (layout === layoutNow || rounds + 1 === MOST_ROUNDS) return undefined
  return { nodeId: ids[0] ?? '', position, rounds: rounds + 1, layout: layoutNow }
}
