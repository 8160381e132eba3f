import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { Claims, type Wish } from '../../lib/sessions/claims.js'
import type { SessionStore } from '../../lib/sessions/store.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { newClaimant, newId } from '../contracts/store-under-test.js'
import { testClock } from '../support/clock.js'
import { failureOf } from '../support/failures.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'
import { recording, type StoreCall } from './a-registry.js'

const LIFETIME_MS = 10_000
const HOUR_MS = 3_600_000

/** Claims of several processes on one store. */
function processes(instead: Partial<SessionStore> = {}) {
  const clock = testClock()
  const memory = new MemoryStore({ clock })
  const calls: StoreCall[] = []
  const store = recording(memory, instead, calls)
  return { clock, memory, calls, claims: () => new Claims(store) }
}

/** What is asked for in most tests: patient for as long as a test may take. */
function wish(wanted: Partial<Wish> = {}): Wish {
  return { id: newId(), lifetimeMs: LIFETIME_MS, patienceMs: 60_000, ...wanted }
}

async function claimantOf(claims: Claims, wanted: Wish): Promise<string> {
  const result = await claims.claim(wanted)
  return result.state === 'claimed' ? result.claimant : expect.fail(result.state)
}

/** A promise that is settled from outside. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('a claim', () => {
  it('is granted at once where nobody else has one, for its lifetime', async () => {
    const { claims, calls } = processes()
    const wanted = wish()
    const claimant = await claimantOf(claims(), wanted)
    expect(calls).to.deep.equal([{ method: 'claim', args: [wanted.id, claimant, LIFETIME_MS] }])
  })

  it('tells its moment by the clock of the store, in microseconds', async () => {
    const { claims, clock } = processes()
    const own = claims()
    for (const moment of [0, 1_000]) {
      clock.set(moment)
      expect(await own.claim(wish())).to.include({ state: 'claimed', at: moment * 1_000 })
    }
  })

  it('tells the moment in which it was granted, not the one in which it was first asked for', async () => {
    const { claims, memory, clock } = processes({
      async claim(...question) {
        const claim = await memory.claim(...question)
        clock.advance(1_000)
        return claim
      },
    })
    clock.set(0)
    const wanted = wish()
    await memory.claim(wanted.id, newClaimant(), 2_000)
    expect(await claims().claim(wanted)).to.include({ state: 'claimed', at: 2_000_000 })
  })

  it('has another claimant each time', async () => {
    const { claims } = processes()
    const own = claims()
    const claimants = await Promise.all(Array.from({ length: 20 }, () => claimantOf(own, wish())))
    expect(new Set(claimants).size).to.equal(20)
    for (const claimant of claimants) expect(claimant).to.match(/^[\w-]{16}$/)
  })

  it('is one claimant’s at a time, in all processes', async () => {
    const { claims } = processes()
    const all = [claims(), claims()]
    const wanted = wish()
    let [holders, most] = [0, 0]
    const turns = Array.from({ length: 6 }, async (_, index) => {
      const own = all[index % 2] as Claims
      const claimant = await claimantOf(own, wanted)
      holders += 1
      most = Math.max(most, holders)
      await new Promise(setImmediate)
      holders -= 1
      own.release(wanted.id, claimant)
    })
    await Promise.all(turns)
    expect(most).to.equal(1)
  })

  it('answers what was settled before, and claims nothing', async () => {
    const { claims, memory } = processes()
    const wanted = wish()
    await memory.settle(wanted.id, 'the answer', HOUR_MS)
    expect(await claims().claim(wanted)).to.deep.equal({ state: 'settled', answer: 'the answer' })
  })

  it('waits for what somebody else settles', async () => {
    const asked = gate()
    const { claims, memory } = processes({
      async claim(...question) {
        const claim = await memory.claim(...question)
        asked.open()
        return claim
      },
    })
    const wanted = wish()
    await memory.claim(wanted.id, newClaimant(), HOUR_MS)
    const waiting = claims().claim(wanted)
    await asked.opened
    await memory.settle(wanted.id, 'the answer', HOUR_MS)
    expect(await waiting).to.deep.equal({ state: 'settled', answer: 'the answer' })
  })

  it('stays the same claimant while it waits, for its lifetime from each question on', async () => {
    const { claims, memory, calls, clock } = processes({
      async claim(...question) {
        const claim = await memory.claim(...question)
        clock.advance(1_000)
        return claim
      },
    })
    const wanted = wish()
    await memory.claim(wanted.id, newClaimant(), 2_000)
    const claimant = await claimantOf(claims(), wanted)
    const question = [wanted.id, claimant, LIFETIME_MS]
    expect(calls.map(({ args }) => args)).to.deep.equal([question, question, question])
  })

  it('is somebody else’s when patience ends', async () => {
    const { claims, memory } = processes()
    const wanted = wish({ patienceMs: 1 })
    await memory.claim(wanted.id, newClaimant(), HOUR_MS)
    expect(await claims().claim(wanted)).to.deep.equal({ state: 'pending' })
  })

  it('is free again when its lifetime has passed, to the millisecond', async () => {
    const { claims, clock } = processes()
    const wanted = wish({ patienceMs: 1 })
    await claims().claim(wanted)
    clock.advance(LIFETIME_MS - 1)
    expect(await claims().claim(wanted)).to.deep.equal({ state: 'pending' })
    clock.advance(1)
    expect(await claims().claim(wanted)).to.include({ state: 'claimed' })
  })
})

describe('a claim that is given back', () => {
  it('is free for the next one', async () => {
    const { claims } = processes()
    const [first, second] = [claims(), claims()]
    const wanted = wish()
    first.release(wanted.id, await claimantOf(first, wanted))
    await first.idle()
    expect(await second.claim({ ...wanted, patienceMs: 1 })).to.include({ state: 'claimed' })
  })

  it('stays that of who has overtaken it', async () => {
    const { claims, clock } = processes()
    const [slow, fast] = [claims(), claims()]
    const wanted = wish({ patienceMs: 1 })
    const late = await claimantOf(slow, wanted)
    clock.advance(LIFETIME_MS)
    await claimantOf(fast, wanted)
    slow.release(wanted.id, late)
    await slow.idle()
    expect(await slow.claim(wanted)).to.deep.equal({ state: 'pending' })
  })
})

describe('a claim whose question fails', () => {
  it('fails as the store does, and is given back in case it was carried out', async () => {
    const failure = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')
    const { claims, memory } = processes({
      async claim(...question) {
        await memory.claim(...question)
        throw failure
      },
    })
    const own = claims()
    const wanted = wish()
    expect(await failureOf(() => own.claim(wanted))).to.equal(failure)
    await own.idle()
    expect(await memory.claim(wanted.id, newClaimant(), HOUR_MS)).to.include({ state: 'claimed' })
  })

  it('leaves no rejection unhandled when it cannot be given back either', async () => {
    const failing = () => Promise.reject(new Error('the store is down'))
    const { claims } = processes({ claim: failing, release: failing })
    const unhandled = await unhandledRejectionsDuring(async () => {
      const own = claims()
      await failureOf(() => own.claim(wish()))
      await own.idle()
    })
    expect(unhandled).to.deep.equal([])
  })
})

describe('work in the background', () => {
  it('is waited for, also what begins while somebody waits', async () => {
    const claims = processes().claims()
    const [first, second] = [gate(), gate()]
    const events: string[] = []
    claims.inBackground(
      first.opened.then(() => {
        events.push('first')
        claims.inBackground(second.opened.then(() => events.push('second')))
      }),
    )
    const idle = claims.idle().then(() => events.push('idle'))
    await new Promise(setImmediate)
    expect(events).to.deep.equal([])
    first.open()
    await new Promise(setImmediate)
    expect(events).to.deep.equal(['first'])
    second.open()
    await idle
    expect(events).to.deep.equal(['first', 'second', 'idle'])
  })

  it('may fail without anybody noticing', async () => {
    const claims = processes().claims()
    const unhandled = await unhandledRejectionsDuring(async () => {
      claims.inBackground(Promise.reject(new Error('it does not work')))
      await claims.idle()
    })
    expect(unhandled).to.deep.equal([])
  })
})
