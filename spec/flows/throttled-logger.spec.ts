import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import { throttledLogger } from '../../lib/flows/throttled-logger.js'
import type { Logger } from '../../lib/logger.js'
import { type TestClock, testClock } from '../support/clock.js'
import { type KeptLog, keptLog } from '../support/log-lines.js'

describe('the throttled logger', () => {
  let clock: TestClock
  let kept: KeptLog
  let logger: Logger

  beforeEach(() => {
    clock = testClock()
    kept = keptLog()
    logger = throttledLogger(kept, clock)
  })

  it('writes a line once a minute, with how many more there were', () => {
    for (let times = 0; times < 100; times += 1) logger.warn('it fails')
    clock.advance(60_000)
    logger.warn('it fails')
    expect(kept.lines).to.deep.equal(['warn: it fails', 'warn: it fails; 99 more since it was last logged'])
  })

  it('takes lines about other users and other sessions for the same', () => {
    const of = (id: string) =>
      `the user ${id} of wx0 failed; the record of session ${id.repeat(2)} cannot be read`
    for (let number = 0; number < 1_000; number += 1)
      logger.error(of(`oAbc-_${String(number).padStart(22, 'x')}`))
    expect(kept.lines).to.have.lengthOf(1)
    expect(kept.lines[0]).to.include('oAbc-_xxxxxxxxxxxxxxxxxxxxx0 of wx0')
  })

  it('takes users of other platforms for the same, however short or odd their openids are', () => {
    for (let number = 0; number < 1_000; number += 1)
      logger.warn(`the user ${'李@.'.repeat(1 + (number % 3))}${number} of wx0 failed to confirm an action`)
    expect(kept.lines).to.have.lengthOf(1)
  })

  it('keeps apart what is of different apps', () => {
    logger.warn('a used login code of wx0 came again')
    logger.warn('a used login code of wx1 came again')
    expect(kept.lines).to.have.lengthOf(2)
  })
})
