import { expect } from 'chai'
import { describe, it } from 'mocha'
import { FailureLog } from '../../lib/flows/failure-log.js'
import { callOnLogin, createCallOnConfirm, createCallOnUserInfo, timely } from '../../lib/flows/hooks.js'
import type { Logger } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const SHORT_MS = 5
const USER = { appid: 'wx1', openid: 'o-1' }
const LOGIN = { ...USER, unionid: undefined, userInfo: undefined, seenBefore: false }

const told = (logger: Logger) => new FailureLog(logger, testClock())

describe('a hook that does not come back', () => {
  it('is a fault of the server at a login, told to the log', async () => {
    const logger = keptLog()
    const error = await weappErrorOf('ERR_HOOK_FAILED', () =>
      callOnLogin(() => new Promise(() => {}), LOGIN, told(logger), SHORT_MS),
    )
    expect(error.status).to.equal(500)
    expect(logger.lines).to.have.lengthOf(1)
    expect(logger.lines[0]).to.match(/^error: onLogin failed: Error: it took longer than 5 ms/)
  })

  it('is a fault of the server before a profile is changed, told to the log', async () => {
    const logger = keptLog()
    const ask = createCallOnUserInfo(() => new Promise(() => {}), told(logger), SHORT_MS)
    await weappErrorOf('ERR_HOOK_FAILED', () => ask({ ...USER, userInfo: null }))
    expect(logger.lines[0]).to.match(/^error: onUserInfo failed: Error: it took longer than 5 ms/)
  })

  it('does not fill the log, however often it is called', async () => {
    const logger = keptLog()
    const [clock, broken] = [testClock(), () => Promise.reject(new Error('no connection'))]
    const failureLog = new FailureLog(logger, clock)
    const ask = createCallOnConfirm(broken, failureLog)
    const attempt = () =>
      weappErrorOf('ERR_HOOK_FAILED', async () => ask?.({ ...USER, sessionId: '', proof: {} }))
    for (let times = 0; times < 100; times += 1) await attempt()
    expect(logger.lines).to.have.lengthOf(1)
    await weappErrorOf('ERR_HOOK_FAILED', () => callOnLogin(broken, LOGIN, failureLog))
    expect(logger.lines).to.have.lengthOf(2)
    clock.advance(60_000)
    await attempt()
    expect(logger.lines[2]).to.match(/^error: onConfirm failed: .*; 99 more since it was last logged$/s)
  })

  it('leaves no promise without a handler when it fails after all', async () => {
    let failAtLast: (reason: Error) => void = () => expect.fail('the hook was not called')
    const hook = () => new Promise((_resolve, reject) => (failAtLast = reject))
    const reasons = await unhandledRejectionsDuring(async () => {
      await weappErrorOf('ERR_HOOK_FAILED', () => callOnLogin(hook, LOGIN, told(keptLog()), SHORT_MS))
      failAtLast(new Error('late'))
    })
    expect(reasons).to.deep.equal([])
  })
})

describe('a function of the application with a deadline', () => {
  it('gets its arguments, and what it returns or throws is passed on', async () => {
    expect(await timely((a: number, b: number) => a + b)(1, 2)).to.equal(3)
    expect(await timely(async () => 'late')()).to.equal('late')
    for (const thrown of [undefined, null, 'a text', new RangeError('no'), Object.freeze(new Error('no'))]) {
      const fail = () => {
        throw thrown
      }
      expect(await failureOf(timely(fail))).to.equal(thrown)
    }
  })

  it('fails when it takes too long', async () => {
    const slow = timely(() => new Promise(() => undefined), SHORT_MS)
    expect(String(await failureOf(slow))).to.equal(`Error: it took longer than ${SHORT_MS} ms`)
  })
})

describe('the answer of onLogin', () => {
  it('may have 4096 bytes as JSON', async () => {
    const logger = keptLog()
    const full = `${'号'.repeat(1364)}ab`
    expect(await callOnLogin(() => full, LOGIN, told(logger))).to.equal(full)
    expect(logger.lines).to.deep.equal([])
  })

  it('is a fault of the server when it has more, and the log hears how many', async () => {
    const logger = keptLog()
    await weappErrorOf('ERR_HOOK_FAILED', () =>
      callOnLogin(() => `${'号'.repeat(1364)}abc`, LOGIN, told(logger)),
    )
    expect(logger.lines).to.have.lengthOf(1)
    expect(logger.lines[0]).to.match(/^error: onLogin failed: TypeError: .*4096 bytes.*4097/)
  })
})
