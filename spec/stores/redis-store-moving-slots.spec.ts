import { expect } from 'chai'
import { describe, it } from 'mocha'
import { RedisStore, type SessionAddress, type SessionStore } from '../../lib/index.js'
import { newAddress, newHandle } from '../../store-contract/store-under-test.js'
import { numberInSlot } from '../support/hash-slot.js'
import { aMovingCluster, type IoredisVersion, prefixWithMarkIn } from '../support/moving-cluster.js'
import { freshPrefix } from '../support/redis-client.js'
import type { SlotOnTheMove } from '../support/slot-on-the-move.js'
import { FIRST, loginOf, NEW, SECOND } from '../support/store-calls.js'

const versions: readonly IoredisVersion[] = ['ioredis 6', 'ioredis 5']

type Step = (store: SessionStore, handle: string) => Promise<unknown>

/** What is done with one user, and what comes of it. */
const steps: readonly (readonly [does: string, step: Step, result: unknown])[] = [
  ['issues', async (store, handle) => (await store.issue(loginOf(handle, FIRST))).state, 'issued'],
  [
    'lists',
    async (store, handle) => (await store.readUser(handle)).sessions.map((one) => one.sessionId),
    [FIRST],
  ],
  ['ends the user', (store, handle) => store.revokeUser(handle), 1],
  ['reads', (store, handle) => store.read({ handle, sessionId: FIRST }), null],
  ['issues again', async (store, handle) => (await store.issue(loginOf(handle, SECOND))).state, 'issued'],
  ['ends everybody', async (store) => (await store.revokeBatch({ group: null })).revoked, 0],
  ['reads again', (store, handle) => store.read({ handle, sessionId: SECOND }), null],
  ['issues a last time', async (store, handle) => (await store.issue(loginOf(handle, NEW))).state, 'issued'],
  ['ends the app', async (store) => (await store.revokeBatch({ group: 'user' })).revoked, 0],
  ['reads a last time', (store, handle) => store.read({ handle, sessionId: NEW }), null],
]

/** After how many steps a slot begins to move, is carried, and arrives. */
const journeys = Array.from({ length: (steps.length + 1) ** 3 }, (_, number) => {
  const [begin, carry, arrive] = [0, 1, 2].map(
    (digit) => Math.floor(number / (steps.length + 1) ** digit) % (steps.length + 1),
  )
  return { begin: begin ?? 0, carry: carry ?? 0, arrive: arrive ?? 0 }
}).filter(({ begin, carry, arrive }) => begin <= carry && carry <= arrive)

describe('RedisStore while slots move to other masters', function () {
  this.timeout(120_000)

  const cluster = aMovingCluster()

  /** Takes all steps on a journey of these slots. Returns what came of it otherwise than it must. */
  async function faultsOn(
    { begin, carry, arrive }: (typeof journeys)[number],
    moves: readonly SlotOnTheMove[],
    store: SessionStore,
    handle: string,
  ): Promise<string[]> {
    const faults: string[] = []
    for (let done = 0; done <= steps.length; done += 1) {
      for (const move of moves) {
        if (done === begin) await move.begin()
        if (done === carry) await move.carry()
        if (done === arrive) await move.finish()
      }
      const [does, step, expected] = steps[done] ?? []
      const result = await step?.(store, handle).catch(String)
      if (JSON.stringify(result) === JSON.stringify(expected)) continue
      faults.push(`${does} (${begin}, ${carry}, ${arrive}): ${JSON.stringify(result)}`)
    }
    return faults
  }

  for (const version of versions) {
    for (const [what, isSameSlot] of [
      ['with the mark of all', true],
      ['and of the mark of all in another slot', false],
    ] as const) {
      it(`does each step on ${journeys.length} journeys of a user ${what}, with ${version}`, async () => {
        const faults: string[] = []
        for (const journey of journeys) {
          const own = cluster.newMove()
          const ofMark = isSameSlot ? own : cluster.newMove()
          const store = new RedisStore(cluster.client(version), { prefix: prefixWithMarkIn(ofMark.slot) })
          const moves = new Set([own.move, ofMark.move])
          faults.push(
            ...(await faultsOn(journey, [...moves], store, `user-${numberInSlot(own.slot, 'user-')}`)),
          )
        }
        expect(faults).to.deep.equal([])
      })
    }
  }

  for (const version of versions) {
    it(`reads who has moved together with those who have not, with auto-pipelining and ${version}`, async () => {
      const client = cluster.client(version, { enableAutoPipelining: true })
      const prefix = freshPrefix()
      const store = new RedisStore(client, { prefix })
      for (const isOver of [false, true]) {
        const { slot, move } = cluster.newMove()
        const addresses = [...handlesIn(slot, 'moves', 2), ...handlesIn(slot + 1_000, 'stays', 2)].map(
          (handle) => newAddress(handle),
        )
        await logIn(store, addresses)
        await move.begin()
        await move.carry()
        if (isOver) await move.finish()
        const visits = await Promise.all(addresses.map((address) => store.read(address)))
        expect(visits.map((visit) => visit !== null)).to.deep.equal(addresses.map(() => true))
        if (!isOver) await move.finish()
      }
      client.disconnect?.(false)
    })
  }

  for (const version of versions) {
    it(`ends everybody, and nobody who logs in from then on, with ${version}`, async () => {
      const prefix = freshPrefix()
      const store = new RedisStore(cluster.client(version), { prefix })
      const moves = Array.from({ length: 4 }, () => {
        const { slot, move } = cluster.newMove()
        return { move, moved: handlesIn(slot, 'moved', 10), notMoved: handlesIn(slot, 'not-moved', 10) }
      })
      const handles = moves.flatMap(({ moved, notMoved }) => [...moved, ...notMoved])
      const ended = [...handles, ...Array.from({ length: 2_000 }, () => newHandle())].map((handle) =>
        newAddress(handle),
      )
      const living: SessionAddress[] = []
      await logIn(store, ended)

      for (const { move, moved } of moves) {
        await move.begin()
        await move.carry(...moved.map((handle) => `${prefix}{${handle}}`))
      }
      let { next } = await store.revokeBatch({ group: null })
      for (let batches = 0; next !== undefined; batches += 1) {
        const addresses = handles.map((handle) => newAddress(handle))
        await logIn(store, addresses)
        living.push(...addresses)
        ;({ next } = await store.revokeBatch({ group: null, cursor: next }))
        await moves[batches]?.move.finish()
      }

      const later = new RedisStore(cluster.client(version), { prefix })
      const visits = await Promise.all([...ended, ...living].map((address) => later.read(address)))
      expect(living.length).to.be.at.least(moves.length * handles.length)
      expect(visits.map((visit) => visit !== null)).to.deep.equal([
        ...ended.map(() => false),
        ...living.map(() => true),
      ])
      for (const handle of handles) {
        const { sessions } = await later.readUser(handle)
        const own = living.filter((address) => address.handle === handle)
        expect(sessions.map(({ sessionId }) => sessionId)).to.deep.equal(
          own.map(({ sessionId }) => sessionId),
        )
      }
    })
  }
})

function handlesIn(slot: number, name: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => {
    const begin = `${name}-${number}-`
    return begin + numberInSlot(slot, begin)
  })
}

async function logIn(store: SessionStore, addresses: readonly SessionAddress[]): Promise<void> {
  const logins = addresses.map(({ handle, sessionId }) =>
    store.issue(loginOf(handle, sessionId, { maxSessions: 100 })),
  )
  expect((await Promise.all(logins)).filter(({ state }) => state !== 'issued')).to.deep.equal([])
}
