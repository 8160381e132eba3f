import { mock } from 'node:test'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { endOfTurn, TurnEnd } from '../lib/turn-end.js'
import { failureOf } from './support/failures.js'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

describe('the end of a turn', () => {
  it('does the work once for all who ask in the turn, and after the last of them', async () => {
    let asked = 0
    let works = 0
    const turnEnd = new TurnEnd(async () => {
      works += 1
      return asked
    })
    const ask = () => {
      asked += 1
      return turnEnd.result()
    }
    expect(await Promise.all([ask(), ask(), Promise.resolve().then(ask)])).to.deep.equal([3, 3, 3])
    expect(works).to.equal(1)
  })

  it('does it anew for whoever asks once it has begun', async () => {
    const finish: (() => void)[] = []
    const turnEnd = new TurnEnd(
      () => new Promise<number>((resolve) => finish.push(() => resolve(finish.length))),
    )
    const early = turnEnd.result()
    await nextTurn()
    const late = turnEnd.result()
    await nextTurn()
    expect(finish).to.have.length(2)
    expect(early).not.to.equal(late)
    for (const end of finish) end()
    await Promise.all([early, late])
  })

  it('passes a failure on to all of the turn, and to nobody later', async () => {
    let works = 0
    const turnEnd = new TurnEnd(async () => {
      works += 1
      if (works === 1) throw new Error('down')
      return works
    })
    const failures = [turnEnd.result(), turnEnd.result()].map((result) => failureOf(() => result))
    for (const failure of await Promise.all(failures)) expect(failure).to.have.property('message', 'down')
    expect(await turnEnd.result()).to.equal(2)
  })
  it('is one promise for all of a turn, and another one later', async () => {
    const first = endOfTurn()
    await Promise.resolve()
    expect(endOfTurn()).to.equal(first)
    await first
    expect(endOfTurn()).not.to.equal(first)
    await endOfTurn()
  })

  it('comes while a test fakes the timers of the process', async () => {
    mock.timers.enable({ apis: ['setImmediate', 'setTimeout'] })
    try {
      await endOfTurn()
    } finally {
      mock.timers.reset()
    }
  })
})
