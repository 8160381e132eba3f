import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Audit, type AuditEvent, type OnAudit } from '../../lib/flows/audit.js'
import { FailureLog } from '../../lib/flows/failure-log.js'
import { testClock } from '../support/clock.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'

const DEED = { who: 'ada', action: 'revokeUser', whom: { appid: 'wx1', openid: 'o1' } } as const

function anAudit(onAudit: OnAudit) {
  const log = keptLog()
  const clock = testClock()
  const failureLog = new FailureLog(log, clock)
  return { log, clock, audit: new Audit({ onAudit, failureLog, clock, timeoutMs: 1 }) }
}

describe('the audit', () => {
  it('is told before anything is done', async () => {
    const order: string[] = []
    const { audit } = anAudit(async ({ phase, count }: AuditEvent) => {
      await Promise.resolve()
      order.push(`${phase} ${count}`)
    })
    const work = async () => order.push('work')
    expect(await audit.run(DEED, work, (length) => length)).to.equal(2)
    expect(order).to.deep.equal(['begin undefined', 'work', 'done 2'])
  })

  it('that never comes back stops what is about to be done, and delays what is done no further', async () => {
    const never = anAudit(() => new Promise(() => undefined))
    let isDone = false
    const work = async () => {
      isDone = true
    }
    await weappErrorOf('ERR_HOOK_FAILED', () => never.audit.run(DEED, work, () => 1))
    expect(isDone).to.equal(false)
    await never.audit.denied('find')
    expect(never.log.lines.at(-1)).to.equal('error: onAudit could not be told: find is denied')
  })

  it('is told of a failure, which is passed on as it was', async () => {
    const phases: string[] = []
    const { audit } = anAudit(({ phase }) => phases.push(phase))
    const failure = new Error('gone')
    expect(
      await failureOf(() =>
        audit.run(
          DEED,
          () => Promise.reject(failure),
          () => 1,
        ),
      ),
    ).to.equal(failure)
    expect(phases).to.deep.equal(['begin', 'failed'])
  })
})
