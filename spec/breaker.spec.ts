import { expect } from 'chai'
import fc from 'fast-check'
import { beforeEach, describe, it } from 'mocha'
import { Breaker, type Refused } from '../lib/breaker.js'
import { type TestClock, testClock } from './support/clock.js'

const FAILURES = 3
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 8000

class Outage extends Error {}
class Complaint extends Error {}
class Refusal extends Error {
  readonly refused: Refused

  constructor(refused: Refused) {
    super('refused')
    this.refused = refused
  }
}

describe('a breaker', () => {
  let clock: TestClock
  let breaker: Breaker
  let told: string[]
  let calls: number

  beforeEach(() => {
    clock = testClock()
    told = []
    calls = 0
    breaker = new Breaker({
      failuresInARow: FAILURES,
      firstPauseMs: FIRST_PAUSE_MS,
      longestPauseMs: LONGEST_PAUSE_MS,
      isFailure: (error) => error instanceof Outage,
      refusal: (refused) => new Refusal(refused),
      clock,
      onOpen: (failure, isProbe) =>
        told.push(`${isProbe ? 'probed' : 'opened'} by ${(failure as Error).message}`),
      onClose: () => told.push('closed'),
    })
  })

  /** Makes a call that ends like this, and returns how it ended for the caller. */
  async function call(end: () => unknown): Promise<unknown> {
    try {
      return await breaker.run(async () => {
        calls += 1
        return end()
      })
    } catch (error) {
      return error instanceof Refusal ? 'refused' : error
    }
  }
  const succeed = () => call(() => 'answer')
  const complain = () =>
    call(() => {
      throw new Complaint()
    })
  const fail = (why = 'an outage') =>
    call(() => {
      throw new Outage(why)
    })
  async function open(): Promise<void> {
    for (let times = 1; times <= FAILURES; times += 1) await fail(`outage ${times}`)
  }
  /** A call that is under way until it is told how to end. */
  function begin(): { end(): Promise<unknown>; fail(): Promise<unknown> } {
    let settle = (_error?: Error): void => undefined
    const hanging = new Promise<string>((resolve, reject) => {
      settle = (error) => (error ? reject(error) : resolve('answer'))
    })
    const ended = call(() => hanging)
    const settled = (error?: Error) => {
      settle(error)
      return ended
    }
    return { end: () => settled(), fail: () => settled(new Outage('late')) }
  }
  const refusedNow = () => {
    try {
      return breaker.check()
    } catch (error) {
      return (error as Refusal).refused
    }
  }

  it('returns what a call returns and throws what it throws', async () => {
    const outage = new Outage()
    expect(await succeed()).to.equal('answer')
    expect(
      await call(() => {
        throw outage
      }),
    ).to.equal(outage)
    expect(await complain()).to.be.instanceOf(Complaint)
  })

  it('makes no call after so many failures in a row, and tells it once', async () => {
    await open()
    expect(breaker.isOpen).to.equal(true)
    for (let times = 0; times < 100; times += 1) expect(await succeed()).to.equal('refused')
    expect(calls).to.equal(FAILURES)
    expect(told).to.deep.equal([`opened by outage ${FAILURES}`])
  })

  for (const [what, interrupt] of [
    ['a call that succeeds', succeed],
    ['an error that is no failure', complain],
  ] as const) {
    it(`stays closed when ${what} is among the failures`, async () => {
      for (let round = 0; round < 10; round += 1) {
        for (let times = 1; times < FAILURES; times += 1) await fail()
        await interrupt()
      }
      expect([breaker.isOpen, calls, told]).to.deep.equal([false, 10 * FAILURES, []])
    })

    it(`is closed by a probe that is ${what}, and tells it`, async () => {
      await open()
      clock.advance(FIRST_PAUSE_MS)
      expect(await interrupt()).not.to.equal('refused')
      expect([breaker.isOpen, refusedNow()]).to.deep.equal([false, undefined])
      expect(told.at(-1)).to.equal('closed')
      for (let times = 1; times < FAILURES; times += 1) await fail()
      expect(await succeed()).to.equal('answer')
    })
  }

  it('says what failed, and when the next probe may go through', async () => {
    await open()
    const { lastFailure, probeInMs } = refusedNow() as Refused
    expect(lastFailure).to.include({ message: `outage ${FAILURES}` })
    expect(probeInMs).to.be.within(FIRST_PAUSE_MS / 2, FIRST_PAUSE_MS)
    clock.advance(probeInMs - 1)
    expect(refusedNow()).to.deep.include({ probeInMs: 1 })
    expect(await succeed()).to.equal('refused')
    clock.advance(1)
    expect(refusedNow()).to.equal(undefined)
    expect(await fail('a probe')).to.be.instanceOf(Outage)
    expect((refusedNow() as Refused).lastFailure).to.include({ message: 'a probe' })
  })

  it('lets one probe through at a time, and has nobody wait for it', async () => {
    await open()
    clock.advance(FIRST_PAUSE_MS)
    const probe = begin()
    for (let times = 0; times < 100; times += 1) {
      clock.advance(LONGEST_PAUSE_MS)
      expect(await succeed()).to.equal('refused')
    }
    expect(refusedNow()).to.deep.include({ probeInMs: 0 })
    expect(calls).to.equal(FAILURES + 1)
    await probe.end()
    expect(await succeed()).to.equal('answer')
  })

  it('pauses longer after each probe that fails, at random, and tells it of each', async () => {
    await open()
    const pauses: number[] = []
    for (let probe = 0; probe < 6; probe += 1) {
      const { probeInMs } = refusedNow() as Refused
      pauses.push(probeInMs)
      clock.advance(probeInMs)
      await fail()
    }
    for (const [index, mostMs] of [1000, 2000, 4000, 8000, 8000, 8000].entries())
      expect(pauses[index], `pause ${index}`).to.be.within(mostMs / 2, mostMs)
    expect(told.map((line) => line.split(' ')[0])).to.deep.equal(['opened', ...Array(6).fill('probed')])
  })

  it('begins with the first pause again after it was closed', async () => {
    await open()
    for (let probe = 0; probe < 5; probe += 1) {
      clock.advance(LONGEST_PAUSE_MS)
      await fail()
    }
    clock.advance(LONGEST_PAUSE_MS)
    await succeed()
    await open()
    expect((refusedNow() as Refused).probeInMs).to.be.at.most(FIRST_PAUSE_MS)
    expect(told.at(-1)).to.match(/^opened/)
  })

  it('stays closed while other calls are answered, however many fail at once', async () => {
    const slow = Array.from({ length: 10 * FAILURES }, begin)
    await succeed()
    for (const each of slow) await each.fail()
    expect(breaker.isOpen).to.equal(false)
    await open()
    expect(breaker.isOpen).to.equal(true)
  })

  it('is not opened again by calls that began before it was open, nor a second probe let through', async () => {
    const before = Array.from({ length: 2 * FAILURES }, begin)
    await open()
    clock.advance(FIRST_PAUSE_MS)
    const probe = begin()
    for (const late of before.splice(0, FAILURES)) await late.fail()
    clock.advance(LONGEST_PAUSE_MS)
    expect(await succeed()).to.equal('refused')
    await probe.end()
    for (const late of before) await late.fail()
    expect([breaker.isOpen, await succeed()]).to.deep.equal([false, 'answer'])
  })

  it('is not closed by a call that began before it was open', async () => {
    const before = begin()
    await open()
    expect(await before.end()).to.equal('answer')
    expect([breaker.isOpen, await succeed()]).to.deep.equal([true, 'refused'])
  })

  it('counts failures that come together, and is open for whoever comes next', async () => {
    await Promise.all(Array.from({ length: FAILURES }, () => fail()))
    expect(await succeed()).to.equal('refused')
  })

  it('does not stay open longer when the clock is set back', async () => {
    await open()
    clock.advance(-3_600_000)
    expect(await succeed()).to.equal('answer')
  })

  it('makes never more calls to a dead service than failures that open it and one a pause', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(2000), { maxLength: 200 }), async (gapsMs) => {
        const dead = new Breaker({
          failuresInARow: FAILURES,
          firstPauseMs: FIRST_PAUSE_MS,
          longestPauseMs: LONGEST_PAUSE_MS,
          isFailure: () => true,
          refusal: (refused) => new Refusal(refused),
          clock,
        })
        let made = 0
        let passedMs = 0
        for (const gapMs of gapsMs) {
          clock.advance(gapMs)
          passedMs += gapMs
          await dead
            .run(() => {
              made += 1
              return Promise.reject(new Outage())
            })
            .catch(() => undefined)
        }
        expect(made).to.be.at.most(FAILURES + Math.ceil(passedMs / (FIRST_PAUSE_MS / 2)))
      }),
      { numRuns: 200 },
    )
  })
})
