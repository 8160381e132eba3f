import { isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { type RedisClient, RedisStore } from '../../lib/index.js'
import { HOUR } from '../../store-contract/store-under-test.js'
import { testClock } from '../support/clock.js'
import {
  type BorderCall,
  borderCalls,
  lastWordsOf,
  outcomeOf,
  storedUnder,
} from '../support/cluster-borders.js'
import { aMovingCluster, type IoredisVersion, prefixWithMarkIn } from '../support/moving-cluster.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'

/** Where the mark of all is while the slot of the users is on the move. */
const places = {
  'the mark of all is far away': { isSameSlot: false, isOnTheMove: false, isMoved: false },
  'the slot of the mark is on the move, too': { isSameSlot: false, isOnTheMove: true, isMoved: false },
  'the mark has moved from another slot': { isSameSlot: false, isOnTheMove: true, isMoved: true },
  'the mark is in the same slot': { isSameSlot: true, isOnTheMove: true, isMoved: false },
  'the mark has moved from the same slot': { isSameSlot: true, isOnTheMove: true, isMoved: true },
}
type Place = keyof typeof places

const marks = [
  'nobody was ever ended',
  'everybody was ended before',
  'everybody has been ended since',
  'their apps were ended before',
  'their apps have been ended since',
] as const
type Mark = (typeof marks)[number]

interface Border {
  readonly version: IoredisVersion
  /**
   * Whether each call is of a process that has just started: it knows no time, and no master knows its
   * scripts.
   */
  readonly isYoung: boolean
  readonly place: Place
  readonly mark: Mark
}

/** What a call comes to far away from any border. */
interface Example {
  readonly outcome: unknown
  readonly stored: unknown
  readonly lastWords: unknown
}

/** From one thing that happens to the next. */
const STEP_MS = 1000

describe('RedisStore at the borders of a slot that moves to another master', function () {
  this.timeout(60_000)

  // Ahead of the clocks of all masters.
  const start = Date.now() + HOUR
  const cluster = aMovingCluster()
  const alone = aRedisClient()
  const examples = new Map<Mark, ReadonlyMap<string, Example>>()

  before(async () => {
    for (const mark of marks) examples.set(mark, await examplesWith(mark))
  })

  /**
   * Makes all that has to be there before the calls, by a store that does not see when everybody is ended.
   */
  async function prepare(client: RedisClient, prefix: string, mark: Mark, calls: readonly BorderCall[]) {
    const clock = testClock(start)
    const [store, other] = [
      new RedisStore(client, { prefix, clock }),
      new RedisStore(client, { prefix, clock }),
    ]
    const ends = mark.includes('apps') ? groupsOf(calls) : [null]
    const end = () => Promise.all(ends.map((group) => other.revokeBatch({ group })))
    if (mark.endsWith('ended before')) await end()
    clock.advance(STEP_MS)
    await Promise.all(calls.map((call) => call.prepare(store)))
    clock.advance(STEP_MS)
    if (mark.endsWith('ended since')) await end()
    clock.advance(STEP_MS)
    return { store, clock }
  }

  async function examplesWith(mark: Mark): Promise<ReadonlyMap<string, Example>> {
    const prefix = freshPrefix()
    const calls = borderCalls(0, prefix, 'example')
    const { store, clock } = await prepare(alone(), prefix, mark, calls)
    const seen = await Promise.all(
      calls.map(async ({ key, call }) => {
        const outcome = await outcomeOf(() => call(store))
        return { outcome, stored: await storedUnder(alone(), prefix + key) }
      }),
    )
    clock.advance(STEP_MS)
    const lastWords = await Promise.all(calls.map(({ handle }) => lastWordsOf(store, handle)))
    return new Map(
      calls.map(({ title }, at) => [
        title,
        { ...(seen[at] ?? expect.fail(title)), lastWords: lastWords[at] },
      ]),
    )
  }

  /** Everything that is done otherwise than elsewhere, or not at all. */
  async function faultsAt({ version, isYoung, place, mark }: Border): Promise<string[]> {
    const { isSameSlot, isOnTheMove, isMoved } = places[place]
    const client = cluster.client(version)
    const { slot, move } = cluster.newMove()
    const ofMark = isSameSlot ? { slot, move } : cluster.newMove()
    const prefix = prefixWithMarkIn(ofMark.slot)
    const moved = borderCalls(slot, prefix, 'moved')
    const calls = [...moved, ...borderCalls(slot, prefix, 'not-moved')]
    const { store, clock } = await prepare(client, prefix, mark, calls)
    const faults: string[] = []

    function compare(what: string, value: unknown, expected: unknown): void {
      if (isDeepStrictEqual(value, expected)) return
      faults.push(`${what}: ${inWords(value)} instead of ${inWords(expected)}`)
    }

    async function check({ title, key, call }: BorderCall): Promise<void> {
      if (isYoung) await cluster.forgetScripts()
      const asked = isYoung ? new RedisStore(client, { prefix, clock }) : store
      const outcome = await outcomeOf(() => call(asked, isYoung ? HOUR : undefined))
      const example = examples.get(mark)?.get(title)
      compare(`${key} ${title}`, outcome, example?.outcome)
      // What is over may lie there until it is cleared away.
      if (mark.endsWith('ended since')) return
      compare(`${key} after ${title}`, await storedUnder(client, prefix + key), example?.stored)
    }

    await move.begin()
    if (isOnTheMove && !isSameSlot) await ofMark.move.begin()
    if (isMoved) await ofMark.move.carry(`${prefix}all`)
    await move.carry(...moved.map(({ key }) => prefix + key))
    if (isYoung) for (const call of calls) await check(call)
    else await Promise.all(calls.map(check))

    await move.finish()
    if (isOnTheMove && !isSameSlot) await ofMark.move.finish()
    clock.advance(STEP_MS)
    const lastWords = await Promise.all(calls.map(({ handle }) => lastWordsOf(store, handle)))
    for (const [at, { title, key }] of calls.entries()) {
      compare(`${key} moved after ${title}`, lastWords[at], examples.get(mark)?.get(title)?.lastWords)
    }
    return faults
  }

  const borders = [false, true].flatMap((isYoung) =>
    (Object.keys(places) as Place[]).flatMap((place) => marks.map((mark) => ({ isYoung, place, mark }))),
  )
  for (const [number, { isYoung, place, mark }] of borders.entries()) {
    const version = number % 2 === 0 ? 'ioredis 6' : 'ioredis 5'
    const which = isYoung ? 'a process that has just started' : 'a process that has run for a while'
    it(`does what it does elsewhere, in ${which} with ${version}, when ${place}, and ${mark}`, async () => {
      expect(await faultsAt({ version, isYoung, place, mark })).to.deep.equal([])
    })
  }
})

function groupsOf(calls: readonly BorderCall[]): string[] {
  return [...new Set(calls.flatMap(({ handle }) => handle?.slice(0, 4) ?? []))]
}

function inWords(value: unknown): string {
  return value instanceof Error ? String(value) : JSON.stringify(value)
}
