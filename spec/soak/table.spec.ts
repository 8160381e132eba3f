import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import type { Usage } from './app-server.js'
import { isFlat } from './growth.js'
import { type Recovered, Recovery } from './recovery.js'
import { isSound, type Results, resultTables } from './table.js'

const usage: Usage = { heapBytes: 30_000_000, handles: 10, timersAndSockets: 40, logLines: 5 }
const server = 'app server 1'

const sound: Results = {
  minutes: 2,
  requests: 12_000,
  refusedInCalm: 3,
  wrong: 0,
  lost: 0,
  revived: 0,
  recovered: [
    { fault: 'Redis killed', ms: { read: 10.4, write: 400, login: 1_200, number: 50 } },
    { fault: 'Redis killed', ms: { read: 30, write: 20, login: 60, number: 70 } },
    { fault: 'WeChat hangs', ms: { read: 1, write: 2, login: 3, number: 4 } },
  ],
  grown: [{ server, minutes: 1.5, first: usage, last: usage, isFlat: true }],
}

describe('the tables of the soak', () => {
  it('show what was counted, and how long each kind of fault was felt', () => {
    const lines = resultTables(sound).split('\n')
    expect(lines).to.include.members([
      '| requests | 12,000 in 2 minutes, 100 a second |  |',
      '| faults | 3 |  |',
      '| lost: acknowledged sessions that are refused | 0 | 0 |',
      '| heap of app server 1, over 1.5 minutes | 28.6 → 28.6 MB | flat |',
      '| Redis killed | 2 | 10, at most 30 | 20, at most 400 | 60, at most 1,200 | 50, at most 70 |',
      '| WeChat hangs | 1 | 1 | 2 | 3 | 4 |',
    ])
  })

  it('are sound where nothing was lost, revived or wrong, all came back, and nothing grew', () => {
    expect(isSound(sound)).to.equal(true)
  })

  const notBack: Recovered = { fault: 'Redis killed', ms: { read: 1, write: undefined, login: 1, number: 1 } }
  for (const [what, difference] of [
    ['an answer was wrong', { wrong: 1 }],
    ['a session was lost', { lost: 1 }],
    ['a session was revived', { revived: 1 }],
    ['writes did not come back', { recovered: [notBack] }],
    ['more than 1 % was refused in calm', { refusedInCalm: 121 }],
    ['no growth was measured', { grown: [] }],
    ['a heap grew', { grown: [{ server, minutes: 1, first: usage, last: usage, isFlat: false }] }],
  ] as const) {
    it(`are not sound where ${what}`, () => {
      expect(isSound({ ...sound, ...difference })).to.equal(false)
    })
  }

  it('show what did not come back', () => {
    expect(resultTables({ ...sound, recovered: [notBack] })).to.include('| 1 | 1 | not back | 1 | 1 |')
  })
})

describe('what an app server uses', () => {
  it('is flat where it goes up and down a little, and not where it grows', () => {
    expect(isFlat(usage, { ...usage, heapBytes: 32_000_000, handles: 12 })).to.equal(true)
    expect(isFlat(usage, { ...usage, heapBytes: 60_000_000 })).to.equal(false)
    expect(isFlat(usage, { ...usage, handles: 60 })).to.equal(false)
    expect(isFlat(usage, { ...usage, timersAndSockets: 400 })).to.equal(false)
  })
})

describe('the recovery from a fault', () => {
  let recovery: Recovery

  beforeEach(() => {
    recovery = new Recovery(['one', 'two'])
    recovery.faultBegins()
  })

  it('is that of the slowest server, by its first success', () => {
    recovery.succeeded('one', 'read', 5)
    recovery.faultEnds('Redis killed', 10)
    for (const need of ['read', 'write', 'login', 'number'] as const) {
      recovery.succeeded('one', need, 20)
      recovery.succeeded('one', need, 90)
      expect(recovery.isCalm).to.equal(false)
      recovery.succeeded('two', need, 50)
    }
    expect(recovery.isCalm).to.equal(true)
    expect(recovery.settle()).to.deep.equal({
      fault: 'Redis killed',
      ms: { read: 40, write: 40, login: 40, number: 40 },
    })
  })

  it('has not come where one server fails', () => {
    recovery.faultEnds('Redis killed', 10)
    recovery.succeeded('one', 'read', 20)
    expect(recovery.settle()?.ms.read).to.equal(undefined)
  })
})
