import { expect } from 'chai'
import { describe, it } from 'mocha'
import { WeappError } from '../../lib/errors.js'
import { FailureLog } from '../../lib/flows/failure-log.js'
import { errorFromErrcode } from '../../lib/wechat/errcodes.js'
import { testClock } from '../support/clock.js'
import { keptLog } from '../support/log-lines.js'

const MINUTE_MS = 60_000

describe('the log of failures', () => {
  function reports() {
    const [log, clock] = [keptLog(), testClock()]
    const failureLog = new FailureLog(log, clock)
    return { log, clock, failureLog, report: failureLog.report.bind(failureLog) }
  }
  const busy = (hint = 'errcode -1, rid 11111111-22222222-33333333') =>
    new WeappError('ERR_WECHAT_BUSY', 'Later.', { hint })

  it('tells what failed, with its code and hint', () => {
    const { log, report } = reports()
    report('a login', busy())
    expect(log.lines).to.deep.equal([
      'error: a login failed with ERR_WECHAT_BUSY: errcode -1, rid 11111111-22222222-33333333',
    ])
  })

  it('tells a kind once a minute, whatever the id of the request, and then how often it came', () => {
    const { log, clock, report } = reports()
    for (let failure = 0; failure < 500; failure += 1) report('a login', busy(`errcode -1, rid ${failure}`))
    expect(log.lines).to.have.length(1)
    clock.advance(MINUTE_MS)
    report('a login', busy('errcode -1, rid 500'))
    expect(log.lines[1]).to.equal(
      'error: a login failed with ERR_WECHAT_BUSY: errcode -1, rid 500; 499 more since it was last logged',
    )
    clock.advance(MINUTE_MS)
    report('a login', busy())
    expect(log.lines[2]).to.not.include('more since')
  })

  it('tells of an outage once a minute, whatever its reason, and then of its end, however soon after the last', () => {
    const { log, clock, failureLog } = reports()
    const outage = (reason: number) => {
      failureLog.reportOutage('WeChat', `WeChat fails: errcode -1, rid ${reason}`)
      clock.advance(10)
      failureLog.reportEnd('WeChat', 'WeChat works again')
    }
    for (let reason = 0; reason < 500; reason += 1) outage(reason)
    clock.advance(MINUTE_MS - 500 * 10)
    outage(500)
    expect(log.lines).to.deep.equal([
      'error: WeChat fails: errcode -1, rid 0',
      'warn: WeChat works again',
      'error: WeChat fails: errcode -1, rid 500; 499 more since it was last logged',
      'warn: WeChat works again',
    ])
  })

  it('tells of an outage that begins soon after another as soon as the minute is over, once, and of its end', () => {
    const { log, clock, failureLog } = reports()
    failureLog.reportOutage('WeChat', 'WeChat fails')
    failureLog.reportEnd('WeChat', 'WeChat works again')
    for (let seconds = 0; seconds < 3600; seconds += 5) {
      clock.advance(5000)
      failureLog.reportOutage('WeChat', 'WeChat fails')
    }
    failureLog.reportEnd('WeChat', 'WeChat works again')
    expect(log.lines).to.deep.equal([
      'error: WeChat fails',
      'warn: WeChat works again',
      'error: WeChat fails; 11 more since it was last logged',
      'warn: WeChat works again',
    ])
  })

  it('tells a kind once a minute, whatever the words of WeChat', () => {
    const { log, report } = reports()
    for (const word of ['abcd', 'efgh', 'ijkl']) {
      const errmsg = `data format error hints: [ req_id: ${word} ]`
      report('a login', errorFromErrcode(47001, errmsg, {}))
    }
    expect(log.lines).to.have.length(1)
    report('a login', errorFromErrcode(47002, 'data format error', {}))
    expect(log.lines).to.have.length(2)
  })

  it('tells other kinds at once: another call, another code, another errcode', () => {
    const { log, report } = reports()
    report('a login', busy())
    report('the access token', busy())
    report('a login', busy('errcode 45009'))
    report('a login', new WeappError('ERR_WECHAT_RATE_LIMITED', 'Later.', { hint: 'errcode 45011' }))
    expect(log.lines).to.have.length(4)
    expect(log.lines[3]).to.match(/^warn: /)
  })

  it('is silent on what anybody can cause, and on bugs', () => {
    const { log, report } = reports()
    report('a login', new WeappError('ERR_CODE_INVALID', 'No.', { hint: 'errcode 40029' }))
    report('a login', new WeappError('ERR_STORE_UNAVAILABLE', 'Later.'))
    report('a login', new TypeError('a bug'))
    expect(log.lines).to.deep.equal([])
  })

  it('is not silenced by a clock that is set back, nor by a thousand kinds', () => {
    const { log, clock, report } = reports()
    report('a login', busy())
    clock.advance(-60 * MINUTE_MS)
    report('a login', busy())
    expect(log.lines).to.have.length(2)
    for (let kind = 0; kind < 1_000; kind += 1) report(`call ${kind}`, busy())
    clock.advance(MINUTE_MS)
    report('a login', busy())
    expect(log.lines).to.have.length(1_003)
  })
})
