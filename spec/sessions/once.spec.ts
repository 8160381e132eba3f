import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { BackgroundWork, type Claim, type ClaimRequest, Once } from '../../lib/sessions/once.js'
import type { SessionStore, ValueChange } from '../../lib/sessions/store.js'
import { MemoryStore } from '../../lib/stores/memory-store.js'
import { RedisStore } from '../../lib/stores/redis-store.js'
import { AWKWARD_TEXTS, newId } from '../../store-contract/store-under-test.js'
import { type TestClock, testClock } from '../support/clock.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { aRedisClient, freshPrefix } from '../support/redis-client.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'
import { recording, type StoreCall } from './a-registry.js'

const LIFETIME_MS = 10_000
const HOUR_MS = 3_600_000
const BROKEN = new WeappError('ERR_STORE_UNAVAILABLE', 'Later.')

/** A promise that is settled from outside. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** What is asked for in most tests: patient for as long as a test may take. */
function request(wanted: Partial<ClaimRequest> = {}): ClaimRequest {
  return { id: newId(), lifetimeMs: LIFETIME_MS, patienceMs: 60_000, ...wanted }
}

async function granted(once: Once, wanted: ClaimRequest): Promise<Claim> {
  const result = await once.claim(wanted)
  return result.state === 'claimed' ? result.claim : expect.fail(result.state)
}

function changesIn(calls: readonly StoreCall[]): ValueChange[] {
  return calls.map(({ method, args }) =>
    method === 'replaceValue' ? (args[0] as ValueChange) : expect.fail(method),
  )
}

function onceOn(newStore: (clock: TestClock) => SessionStore): void {
  /** Several processes on one store. Methods may be replaced at any time, for all of them. */
  function processes(instead: Partial<SessionStore> = {}) {
    const clock = testClock()
    const store = newStore(clock)
    const calls: StoreCall[] = []
    const background = new BackgroundWork()
    const once = () => new Once({ store: recording(store, instead, calls), background })
    return { clock, store, calls, instead, background, once }
  }

  describe('a claim', () => {
    it('is granted at once where nobody else has one, for its lifetime', async () => {
      const { once, calls } = processes()
      const wanted = request()
      const { id, claimant } = await granted(once(), wanted)
      expect(id).to.equal(wanted.id)
      expect(changesIn(calls)).to.deep.equal([{ id, from: null, to: `?${claimant}`, keepMs: LIFETIME_MS }])
    })

    it('tells its moment by the clock of the store, in microseconds', async () => {
      const { once, clock } = processes()
      const own = once()
      for (const moment of [1_000, 2_000]) {
        clock.set(moment)
        expect((await granted(own, request())).grantedAt).to.be.within(moment * 1_000, moment * 1_000 + 999)
      }
    })

    it('tells the moment in which it was granted, not the one in which it was first asked for', async () => {
      const { once, instead, store, clock } = processes()
      clock.set(1_000)
      const wanted = request({ lifetimeMs: 2_000 })
      await granted(once(), wanted)
      instead.replaceValue = async (change) => {
        const outcome = await store.replaceValue(change)
        clock.advance(1_000)
        return outcome
      }
      const { grantedAt } = await granted(once(), wanted)
      expect(Math.floor(grantedAt / 1_000)).to.equal(3_000)
    })

    it('has another claimant each time', async () => {
      const own = processes().once()
      const claims = await Promise.all(Array.from({ length: 20 }, () => granted(own, request())))
      expect(new Set(claims.map(({ claimant }) => claimant)).size).to.equal(20)
      for (const { claimant } of claims) expect(claimant).to.match(/^[\w-]{16}$/)
    })

    it('is granted to one of 50 processes that ask at once', async () => {
      const { once } = processes()
      const wanted = request({ patienceMs: 0 })
      const results = await Promise.all(Array.from({ length: 50 }, () => once().claim(wanted)))
      expect(results.filter(({ state }) => state === 'claimed')).to.have.length(1)
      expect(results.filter(({ state }) => state === 'pending')).to.have.length(49)
    })

    it('is one claimant’s at a time, in all processes', async () => {
      const { once } = processes()
      const all = [once(), once()]
      const wanted = request()
      let [holders, most] = [0, 0]
      const turns = Array.from({ length: 6 }, async (_, index) => {
        const own = all[index % 2] as Once
        const claim = await granted(own, wanted)
        holders += 1
        most = Math.max(most, holders)
        await new Promise(setImmediate)
        holders -= 1
        await own.release(claim)
      })
      await Promise.all(turns)
      expect(most).to.equal(1)
    })

    it('has nothing to do with other ids', async () => {
      const own = processes().once()
      const [one, other] = [request(), request()]
      const claim = await granted(own, one)
      await granted(own, other)
      await own.release(claim)
      expect(await own.claim({ ...other, patienceMs: 0 })).to.deep.equal({ state: 'pending' })
    })

    it('waits for what another process settles', async () => {
      const { once, instead, store } = processes()
      const [other, wanted, asked] = [once(), request(), gate()]
      const claim = await granted(other, wanted)
      instead.replaceValue = async (change) => {
        const outcome = await store.replaceValue(change)
        asked.open()
        return outcome
      }
      const waiting = once().claim(wanted)
      await asked.opened
      await other.settle(claim, 'the outcome', HOUR_MS)
      expect(await waiting).to.deep.equal({ state: 'settled', outcome: 'the outcome' })
    })

    it('stays the same claimant while it waits, for its lifetime from each question on', async () => {
      const { once, instead, store, calls, clock } = processes()
      const wanted = request()
      await granted(once(), { ...wanted, lifetimeMs: 2_000 })
      calls.length = 0
      instead.replaceValue = async (change) => {
        const outcome = await store.replaceValue(change)
        clock.advance(1_000)
        return outcome
      }
      const { id, claimant } = await granted(once(), wanted)
      const question = { id, from: null, to: `?${claimant}`, keepMs: LIFETIME_MS }
      expect(changesIn(calls)).to.deep.equal([question, question, question])
    })

    it('asks less and less often while another process has it', async () => {
      const { once, calls } = processes()
      const wanted = request()
      await granted(once(), wanted)
      calls.length = 0
      expect(await once().claim({ ...wanted, patienceMs: 200 })).to.deep.equal({ state: 'pending' })
      // After 0, 20, 50, 95, 163 and 264 ms, or after half of that at the earliest.
      expect(calls).to.have.length.within(2, 8)
    })

    it('is somebody else’s when patience ends', async () => {
      const { once } = processes()
      const wanted = request({ patienceMs: 1 })
      await granted(once(), wanted)
      expect(await once().claim(wanted)).to.deep.equal({ state: 'pending' })
    })

    it('is free again when its lifetime has passed, to the millisecond, whoever has asked meanwhile', async () => {
      const { once, clock } = processes()
      const wanted = request({ patienceMs: 0 })
      await granted(once(), wanted)
      clock.advance(LIFETIME_MS - 1)
      expect(await once().claim(wanted)).to.deep.equal({ state: 'pending' })
      clock.advance(1)
      await granted(once(), wanted)
    })
  })

  describe('a claim whose request was sent twice, after a lost connection', () => {
    it('is granted to the same claimant, with the moment of the first time', async () => {
      const { once, instead, store, clock } = processes()
      const moments: (number | undefined)[] = []
      instead.replaceValue = async (change) => {
        moments.push((await store.replaceValue(change)).value?.writtenAt)
        clock.advance(1_000)
        return store.replaceValue(change)
      }
      const { grantedAt } = await granted(once(), request())
      expect([grantedAt]).to.deep.equal(moments)
    })

    it('can be settled, and released', async () => {
      const { once, instead, store } = processes()
      instead.replaceValue = async (change) => {
        await store.replaceValue(change)
        return store.replaceValue(change)
      }
      const own = once()
      const [settled, released] = [request(), request()]
      await own.settle(await granted(own, settled), 'the outcome', HOUR_MS)
      await own.release(await granted(own, released))
      expect(await own.claim(settled)).to.deep.equal({ state: 'settled', outcome: 'the outcome' })
      await granted(own, released)
    })
  })

  describe('a claim in a process that holds it already', () => {
    it('asks the store nothing before the end of that one, and once after it', async () => {
      const { once, calls } = processes()
      const [own, wanted] = [once(), request()]
      const claim = await granted(own, wanted)
      calls.length = 0
      const waiting = [own.claim(wanted), own.claim(wanted)]
      await own.settle(claim, 'the outcome', HOUR_MS)
      const settled = { state: 'settled', outcome: 'the outcome' }
      expect(await Promise.all(waiting)).to.deep.equal([settled, settled])
      expect(changesIn(calls).map(({ to }) => to?.[0])).to.deep.equal(['!', '?', '?'])
    })

    it('goes to one of those who wait when it is released', async () => {
      const { once } = processes()
      const [own, wanted] = [once(), request()]
      let holders = 0
      const turns = Array.from({ length: 10 }, async () => {
        const claim = await granted(own, wanted)
        holders += 1
        expect(holders).to.equal(1)
        await new Promise(setImmediate)
        holders -= 1
        await own.release(claim)
      })
      await Promise.all(turns)
    })

    it('waits for it no longer than patience lasts', async () => {
      const own = processes().once()
      const wanted = request()
      await granted(own, wanted)
      expect(await own.claim({ ...wanted, patienceMs: 1 })).to.deep.equal({ state: 'pending' })
    })

    it('waits for it no longer than that one is good', async () => {
      const { once, clock } = processes()
      const [own, wanted] = [once(), request({ lifetimeMs: 5 })]
      await granted(own, wanted)
      clock.advance(5)
      await granted(own, wanted)
    }).timeout(20_000)

    it('asks the store when the outcome to that one could not be written', async () => {
      const { once, instead } = processes()
      const [own, wanted] = [once(), request()]
      const claim = await granted(own, wanted)
      const waiting = own.claim({ ...wanted, patienceMs: 100 })
      instead.replaceValue = () => Promise.reject(BROKEN)
      const settling = failureOf(() => own.settle(claim, 'the outcome', HOUR_MS))
      delete instead.replaceValue
      expect(await settling).to.equal(BROKEN)
      expect(await waiting).to.deep.equal({ state: 'pending' })
    })

    it('is granted where that one has run out, and is not ended by it', async () => {
      const { once, clock, calls } = processes()
      const [own, wanted] = [once(), request({ patienceMs: 1 })]
      const late = await granted(own, wanted)
      clock.advance(LIFETIME_MS)
      const second = await granted(own, wanted)
      await own.release(late)
      calls.length = 0
      const waiting = own.claim({ ...wanted, patienceMs: 60_000 })
      await own.settle(second, 'the outcome', HOUR_MS)
      expect(await waiting).to.deep.equal({ state: 'settled', outcome: 'the outcome' })
      expect(calls).to.have.length(2)
    })
  })

  describe('a claim that is settled', () => {
    it('gives its outcome to everybody, the claimant too, as long as that is kept', async () => {
      const { once, clock } = processes()
      const [own, other, wanted] = [once(), once(), request()]
      await own.settle(await granted(own, wanted), 'the outcome', HOUR_MS)
      clock.advance(HOUR_MS - 1)
      for (const each of [other, own, other])
        expect(await each.claim(wanted)).to.deep.equal({ state: 'settled', outcome: 'the outcome' })
      clock.advance(1)
      await granted(other, wanted)
    })

    it('costs one call', async () => {
      const { once, calls } = processes()
      const own = once()
      const claim = await granted(own, request())
      calls.length = 0
      await own.settle(claim, 'the outcome', HOUR_MS)
      const { id, claimant } = claim
      expect(changesIn(calls)).to.deep.equal([
        { id, from: `?${claimant}`, to: '!the outcome', keepMs: HOUR_MS },
      ])
    })

    it('has its outcome also where it had run out', async () => {
      const { once, clock } = processes()
      const [own, wanted] = [once(), request()]
      const claim = await granted(own, wanted)
      clock.advance(LIFETIME_MS)
      await own.settle(claim, 'the outcome', HOUR_MS)
      expect(await once().claim(wanted)).to.deep.equal({ state: 'settled', outcome: 'the outcome' })
    })

    it('has its outcome also where somebody else has claimed since, who settles after it', async () => {
      const { once, clock } = processes()
      const [slow, fast, wanted] = [once(), once(), request()]
      const late = await granted(slow, wanted)
      clock.advance(LIFETIME_MS)
      const second = await granted(fast, wanted)
      await slow.settle(late, 'the outcome', HOUR_MS)
      expect(await once().claim(wanted)).to.deep.equal({ state: 'settled', outcome: 'the outcome' })
      await fast.settle(second, 'another outcome', HOUR_MS)
      expect(await once().claim(wanted)).to.deep.equal({ state: 'settled', outcome: 'another outcome' })
    })

    it('has its outcome also where somebody claims it at every step, but for one', async () => {
      const { once, clock, instead, store } = processes()
      const [own, wanted] = [once(), request()]
      const claim = await granted(own, wanted)
      let rivals = 0
      instead.replaceValue = async (change) => {
        const { id } = change
        const found = (await store.readValue(id))?.text ?? null
        rivals += 1
        if (rivals <= 4)
          await store.replaceValue({ id, from: found, to: `?rival ${rivals}`, keepMs: HOUR_MS })
        return store.replaceValue(change)
      }
      clock.advance(LIFETIME_MS)
      await own.settle(claim, 'the outcome', HOUR_MS)
      expect(await once().claim(wanted)).to.deep.equal({ state: 'settled', outcome: 'the outcome' })
    })

    it('has none, and says so, where somebody claims it at every step', async () => {
      const { once, instead } = processes()
      const own = once()
      const claim = await granted(own, request())
      let rivals = 0
      instead.replaceValue = async () => {
        rivals += 1
        return { isReplaced: false, value: { text: `?rival ${rivals}`, writtenAt: 0, leftMs: 1 } }
      }
      await weappErrorOf('ERR_STORE_UNAVAILABLE', () => own.settle(claim, 'the outcome', HOUR_MS))
    })

    for (const [what, text] of Object.entries(AWKWARD_TEXTS)) {
      it(`has an outcome with ${what} byte for byte`, async () => {
        const { once } = processes()
        const [own, wanted] = [once(), request()]
        await own.settle(await granted(own, wanted), text, HOUR_MS)
        expect(await once().claim(wanted)).to.deep.equal({ state: 'settled', outcome: text })
      })
    }
  })

  describe('a claim that is released', () => {
    it('is free for the next one', async () => {
      const { once } = processes()
      const [first, second, wanted] = [once(), once(), request()]
      await first.release(await granted(first, wanted))
      await granted(second, { ...wanted, patienceMs: 0 })
    })

    it('stays that of who has overtaken it', async () => {
      const { once, clock } = processes()
      const [slow, fast, wanted] = [once(), once(), request({ patienceMs: 0 })]
      const late = await granted(slow, wanted)
      clock.advance(LIFETIME_MS)
      await granted(fast, wanted)
      await slow.release(late)
      expect(await slow.claim(wanted)).to.deep.equal({ state: 'pending' })
    })

    it('keeps its outcome where it is settled already', async () => {
      const { once } = processes()
      const [own, wanted] = [once(), request()]
      const claim = await granted(own, wanted)
      await own.settle(claim, 'the outcome', HOUR_MS)
      await own.release(claim)
      expect(await own.claim(wanted)).to.deep.equal({ state: 'settled', outcome: 'the outcome' })
    })
  })

  describe('a claim that is not answered in time', () => {
    it('fails as the store does, and is given back in case it was granted', async () => {
      const { once, instead, store, background } = processes()
      const [own, wanted] = [once(), request({ patienceMs: 0 })]
      instead.replaceValue = async (change) => {
        const outcome = await store.replaceValue(change)
        if (change.to?.startsWith('?')) throw BROKEN
        return outcome
      }
      expect(await failureOf(() => own.claim(wanted))).to.equal(BROKEN)
      await background.idle()
      delete instead.replaceValue
      await granted(once(), wanted)
    })

    it('leaves no rejection unhandled when it cannot be given back either', async () => {
      const { once, background } = processes({ replaceValue: () => Promise.reject(BROKEN) })
      const unhandled = await unhandledRejectionsDuring(async () => {
        const own = once()
        await failureOf(() => own.claim(request()))
        await background.idle()
      })
      expect(unhandled).to.deep.equal([])
    })
  })
}

describe('Once, in memory', () => onceOn((clock) => new MemoryStore({ clock })))

describe('Once, on Redis', () => {
  const redis = aRedisClient()
  onceOn((clock) => new RedisStore(redis(), { prefix: freshPrefix(), clock }))
})
