import { expect } from 'chai'
import type { Request } from 'express'
import { describe, it } from 'mocha'
import { FailureLog } from '../../lib/flows/failure-log.js'
import { whoActs } from '../../lib/http/authorize.js'
import { testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'

const REQ = {} as Request

describe('asking who acts', () => {
  it('passes the request and the action on', async () => {
    const asked: unknown[] = []
    const authorize = async (...args: unknown[]) => {
      asked.push(...args)
      return 'ada'
    }
    expect(await whoActs(authorize, REQ, 'find', new FailureLog(keptLog(), testClock()))).to.equal('ada')
    expect(asked).to.deep.equal([REQ, 'find'])
  })

  it('waits no longer than the deadline, allows nothing then, and says so once a minute', async () => {
    const log = keptLog()
    const failureLog = new FailureLog(log, testClock())
    const never = () => new Promise<string>(() => undefined)
    const error = await weappErrorOf('ERR_HOOK_FAILED', () => whoActs(never, REQ, 'find', failureLog, 1))
    expect(error.message).to.not.include('1 ms')
    await weappErrorOf('ERR_HOOK_FAILED', () => whoActs(never, REQ, 'find', failureLog, 1))
    expect(log.lines).to.deep.equal(['error: authorize failed: it took longer than 1 ms'])
  })
})
