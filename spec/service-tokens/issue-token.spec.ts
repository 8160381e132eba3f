import { expect } from 'chai'
import { describe, it } from 'mocha'
import { FailureLog } from '../../lib/flows/failure-log.js'
import { createIssueToken } from '../../lib/service-tokens/issue-token.js'
import type { Session } from '../../lib/sessions/session.js'
import { testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { keyPair } from './forge.js'

const NOW = 1_800_000_000_000

describe('issuing a token', () => {
  const sessionUntil = (end: number) =>
    ({ appid: 'wx1', openid: 'o1', expiresAt: new Date(end), idleExpiresAt: new Date(NOW * 2) }) as Session

  function issuerWith(claims?: () => Promise<object>) {
    const log = keptLog()
    const issueToken = createIssueToken({
      issuer: 'app',
      key: { kid: 'a', alg: 'ES256', key: keyPair() },
      lifetimeSeconds: 300,
      openid: false,
      unionid: false,
      claims,
      clock: testClock(NOW),
      failureLog: new FailureLog(log, testClock(NOW)),
      hookTimeoutMs: 500,
    })
    const issue = (end = NOW * 2) =>
      issueToken({ session: sessionUntil(end), handle: 'handle', audience: 'orders' })
    return { issue, log }
  }

  it('waits no longer for the claims of the application than for any hook', async () => {
    const { issue, log } = issuerWith(() => new Promise(() => undefined))
    await weappErrorOf('ERR_HOOK_FAILED', () => issue())
    expect(log.lines.join()).to.match(/^error: claims failed: Error: it took longer than 500 ms/)
  })

  it('gives a token in whole seconds, and none in the last of a session', async () => {
    const { issue } = issuerWith()
    expect((await issue(NOW + 1999)).expiresAt).to.deep.equal(new Date(NOW + 1000))
    await weappErrorOf('ERR_SESSION_UNKNOWN', () => issue(NOW + 999))
  })
})
