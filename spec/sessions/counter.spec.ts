import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { Counter } from '../../lib/sessions/counter.js'
import type { SessionStore, ValueAddition } from '../../lib/sessions/store.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'
import { methodsOf, recording, type StoreCall } from './a-registry.js'

const ADA = { appid: 'wx1', openid: 'ada' }
const WINDOW_MS = 60_000
const HOUR_MS = 3_600_000

/** Counters of several processes on one store. Each of them may have a clock of its own. */
function processes(instead: Partial<SessionStore> = {}) {
  const clock = testClock()
  const memory = new MemoryStore({ clock })
  const calls: StoreCall[] = []
  const store = recording(memory, instead, calls)
  const counter = (purpose = 'a test', own = clock) =>
    new Counter({ store, clock: own, purpose, windowMs: WINDOW_MS })
  return { clock, memory, calls, counter }
}

describe('a count', () => {
  it('goes up by one with each event, in all processes', async () => {
    const { counter } = processes()
    for (let event = 1; event <= 5; event += 1) expect(await counter().add(ADA)).to.equal(event)
    expect(await counter().countOf(ADA)).to.equal(5)
  })

  it('is another one for each app, user, matter and purpose', async () => {
    const { counter } = processes()
    await counter().add(ADA)
    for (const subject of [
      { ...ADA, appid: 'wx2' },
      { ...ADA, openid: 'bob' },
      { ...ADA, about: 'a code' },
    ])
      expect(await counter().countOf(subject)).to.equal(0)
    expect(await counter('another test').countOf(ADA)).to.equal(0)
  })

  it('loses no event of many in the same moment', async () => {
    const { counter } = processes()
    const own = [counter(), counter(), counter()]
    const counted = await Promise.all(Array.from({ length: 50 }, (_, index) => own[index % 3]?.add(ADA)))
    expect(await counter().countOf(ADA)).to.equal(50)
    expect(new Set(counted).size).to.equal(50)
  })

  it('begins anew so long after its first event, to the millisecond', async () => {
    const { counter, clock } = processes()
    await counter().add(ADA)
    clock.advance(WINDOW_MS - 1)
    expect(await counter().add(ADA)).to.equal(2)
    clock.advance(1)
    expect(await counter().countOf(ADA)).to.equal(0)
    expect(await counter().add(ADA)).to.equal(1)
  })

  it('begins anew by the clock of the store, whatever the clocks of the processes tell', async () => {
    const { counter, clock } = processes()
    const clocks = [-HOUR_MS, 0, HOUR_MS].map((wrongMs) => testClock(clock.now + wrongMs))
    const pass = (ms: number) => {
      for (const each of [clock, ...clocks]) each.advance(ms)
    }
    const counters = clocks.map((own) => counter('a test', own))
    for (const [before, one] of counters.entries()) expect(await one.add(ADA)).to.equal(before + 1)
    pass(WINDOW_MS - 1)
    for (const one of counters) expect(await one.countOf(ADA)).to.equal(3)
    pass(1)
    for (const one of counters) expect(await one.countOf(ADA)).to.equal(0)
    expect(await counters[0]?.add(ADA)).to.equal(1)
  })

  it('is added to as a number, whose end the store keeps from the first event on', async () => {
    const { counter, calls } = processes()
    for (let event = 1; event <= 3; event += 1) await counter().add(ADA)
    const additions = calls.filter(({ method }) => method === 'addToValue').map(({ args }) => args[0])
    const [{ id }] = additions as [ValueAddition]
    expect(additions).to.deep.equal(Array(3).fill({ id, add: 1, keepMs: WINDOW_MS }))
  })

  it('is gone when it is forgotten', async () => {
    const { counter, memory, calls } = processes()
    for (let event = 1; event <= 3; event += 1) await counter().add(ADA)
    await counter().forget(ADA)
    expect(await counter().countOf(ADA)).to.equal(0)
    const [{ args }] = calls as [StoreCall]
    expect(await memory.readValue((args[0] as ValueAddition).id)).to.equal(null)
  })

  it('begins anew where what lies in the store is not a number', async () => {
    const { counter, memory, calls } = processes()
    await counter().countOf(ADA)
    const id = String(calls[0]?.args[0])
    await memory.replaceValue({ id, from: null, to: 'nonsense', keepMs: WINDOW_MS })
    expect(await counter().countOf(ADA)).to.equal(0)
    expect(await counter().add(ADA)).to.equal(1)
    expect(await counter().add(ADA)).to.equal(2)
  })

  it('is remembered by the process that has counted, while the store cannot be written to', async () => {
    const failing = () => Promise.reject(new WeappError('ERR_STORE_UNAVAILABLE', 'Later.'))
    const { counter, clock } = processes({ addToValue: failing })
    const own = counter()
    for (let event = 1; event <= 3; event += 1)
      await weappErrorOf('ERR_STORE_UNAVAILABLE', () => own.add(ADA))
    expect(await own.countOf(ADA)).to.equal(3)
    expect(await counter().countOf(ADA)).to.equal(0)
    clock.advance(WINDOW_MS)
    expect(await own.countOf(ADA)).to.equal(0)
  })

  it('of the process is over when its clock has been set back, so that it does not stay for longer', async () => {
    const failing = () => Promise.reject(new WeappError('ERR_STORE_UNAVAILABLE', 'Later.'))
    const { counter, clock } = processes({ addToValue: failing })
    const own = counter()
    const add = () => weappErrorOf('ERR_STORE_UNAVAILABLE', () => own.add(ADA))
    await add()
    clock.advance(-HOUR_MS)
    expect(await own.countOf(ADA)).to.equal(0)
    await add()
    expect(await own.countOf(ADA)).to.equal(1)
    clock.advance(WINDOW_MS)
    expect(await own.countOf(ADA)).to.equal(0)
  })

  it('of the process is remembered for the latest ten thousand', async () => {
    const { counter } = processes({ addToValue: async () => ({ number: 1, leftMs: 1 }) })
    const own = counter()
    for (let user = 0; user <= 10_000; user += 1) await own.add({ appid: 'wx1', openid: String(user) })
    expect(await own.countOf({ appid: 'wx1', openid: '0' })).to.equal(0)
    expect(await own.countOf({ appid: 'wx1', openid: '1' })).to.equal(1)
  })

  it('costs one call to read and one to go up', async () => {
    const { counter, calls } = processes()
    await counter().countOf(ADA)
    await counter().add(ADA)
    expect(methodsOf(calls)).to.deep.equal(['readValue', 'addToValue'])
  })

  it('does not show the store whose it is', async () => {
    const { counter, calls } = processes()
    await counter().add(ADA)
    expect(JSON.stringify(calls)).to.not.include('ada').and.not.include('wx1')
  })

  it('fails as the store does', async () => {
    const failing = () => Promise.reject(new WeappError('ERR_STORE_UNAVAILABLE', 'Later.'))
    const { counter } = processes({ readValue: failing, addToValue: failing })
    await weappErrorOf('ERR_STORE_UNAVAILABLE', () => counter().countOf(ADA))
    await weappErrorOf('ERR_STORE_UNAVAILABLE', () => counter().add(ADA))
  })
})
