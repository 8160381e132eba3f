import { expect } from 'chai'
import { describe, it } from 'mocha'
import { callOnLogin, createCallOnUserInfo } from '../../lib/flows/hooks.js'
import { weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const SHORT_MS = 5
const USER = { appid: 'wx1', openid: 'o-1' }
const LOGIN = { ...USER, unionid: undefined, userInfo: undefined, seenBefore: false }

describe('a hook that does not come back', () => {
  it('is a fault of the server at a login, told to the log', async () => {
    const logger = keptLog()
    const error = await weappErrorOf('ERR_HOOK_FAILED', () =>
      callOnLogin(() => new Promise(() => {}), LOGIN, logger, SHORT_MS),
    )
    expect(error.status).to.equal(500)
    expect(logger.lines).to.have.lengthOf(1)
    expect(logger.lines[0]).to.match(/^error: onLogin failed: Error: it took longer than 5 ms/)
  })

  it('is a fault of the server before a profile is changed, told to the log', async () => {
    const logger = keptLog()
    const ask = createCallOnUserInfo(() => new Promise(() => {}), logger, SHORT_MS)
    await weappErrorOf('ERR_HOOK_FAILED', () => ask({ ...USER, userInfo: null }))
    expect(logger.lines[0]).to.match(/^error: onUserInfo failed: Error: it took longer than 5 ms/)
  })

  it('leaves no promise without a handler when it fails after all', async () => {
    let failAtLast: (reason: Error) => void = () => expect.fail('the hook was not called')
    const hook = () => new Promise((_resolve, reject) => (failAtLast = reject))
    const reasons = await unhandledRejectionsDuring(async () => {
      await weappErrorOf('ERR_HOOK_FAILED', () => callOnLogin(hook, LOGIN, keptLog(), SHORT_MS))
      failAtLast(new Error('late'))
    })
    expect(reasons).to.deep.equal([])
  })
})

describe('the answer of onLogin', () => {
  it('may have 4096 bytes as JSON', async () => {
    const logger = keptLog()
    const full = `${'号'.repeat(1364)}ab`
    expect(await callOnLogin(() => full, LOGIN, logger)).to.equal(full)
    expect(logger.lines).to.deep.equal([])
  })

  it('is a fault of the server when it has more, and the log hears how many', async () => {
    const logger = keptLog()
    await weappErrorOf('ERR_HOOK_FAILED', () => callOnLogin(() => `${'号'.repeat(1364)}abc`, LOGIN, logger))
    expect(logger.lines).to.have.lengthOf(1)
    expect(logger.lines[0]).to.match(/^error: onLogin failed: TypeError: .*4096 bytes.*4097/)
  })
})
