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

  it('is not silenced by a clock that is set back', () => {
    const { log, clock, throttled } = opened()
    throttled.write('error', 'kind', 'line')
    clock.advance(-60 * MINUTE_MS)
    throttled.write('error', 'kind', 'line')
    expect(log.lines).to.have.length(2)
  })
})
