import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ThrottledLog } from '../lib/throttled-log.js'
import { testClock } from './support/clock.js'
import { keptLog } from './support/log-lines.js'

const MINUTE_MS = 60_000

describe('a throttled log', () => {
  function opened() {
    const [log, clock] = [keptLog(), testClock()]
    return { log, clock, throttled: new ThrottledLog(log, clock) }
  }

  it('writes a kind once a minute, then with how many more there were, and tells whether it wrote', () => {
    const { log, clock, throttled } = opened()
    const told = Array.from({ length: 500 }, (_, n) => throttled.write('error', 'kind', `line ${n}`))
    expect(told.filter(Boolean)).to.have.length(1)
    clock.advance(MINUTE_MS - 1)
    expect(throttled.write('error', 'kind', 'line 500')).to.equal(false)
    clock.advance(1)
    expect(throttled.write('error', 'kind', 'line 501')).to.equal(true)
    expect(log.lines).to.deep.equal(['error: line 0', 'error: line 501; 500 more since it was last logged'])
  })

  it('counts anew after each line', () => {
    const { log, clock, throttled } = opened()
    for (let turn = 0; turn < 3; turn += 1) {
      throttled.write('warn', 'kind', 'line')
      clock.advance(MINUTE_MS)
    }
    expect(log.lines).to.deep.equal(['warn: line', 'warn: line', 'warn: line'])
  })

  it('throttles each kind by itself', () => {
    const { log, throttled } = opened()
    for (const kind of ['a', 'b', 'a', 'b']) throttled.write('error', kind, kind)
    expect(log.lines).to.deep.equal(['error: a', 'error: b'])
  })

  it('tells a thousand kinds a minute apart, and of all further ones a line with their number', () => {
    const { log, clock, throttled } = opened()
    for (let kind = 0; kind < 100_000; kind += 1) throttled.write('error', `kind ${kind}`, `line ${kind}`)
    expect(log.lines).to.have.length(1_001)
    expect(throttled.write('error', 'kind 7', 'line')).to.equal(false)
    clock.advance(MINUTE_MS)
    for (let kind = 200_000; kind < 300_000; kind += 1) throttled.write('error', `kind ${kind}`, 'line')
    expect(log.lines).to.have.length(2_002)
    expect(log.lines.at(-1)).to.equal('error: line; 98999 more of many other kinds since it was last logged')
  })

  it('counts right when the clock is set, and then goes by the new time', () => {
    const { log, clock, throttled } = opened()
    const write = () => throttled.write('error', 'kind', 'line')
    for (const stepMs of [60 * MINUTE_MS, -120 * MINUTE_MS]) {
      for (let times = 0; times < 5; times += 1) write()
      clock.advance(stepMs)
    }
    write()
    clock.advance(MINUTE_MS - 1)
    expect(write()).to.equal(false)
    clock.advance(1)
    write()
    expect(log.lines.slice(1)).to.deep.equal([
      'error: line; 4 more since it was last logged',
      'error: line; 4 more since it was last logged',
      'error: line; 1 more since it was last logged',
    ])
  })

  it('is not silenced by a clock that is set back', () => {
    const { log, clock, throttled } = opened()
    throttled.write('error', 'kind', 'line')
    clock.advance(-60 * MINUTE_MS)
    throttled.write('error', 'kind', 'line')
    expect(log.lines).to.have.length(2)
  })
})
