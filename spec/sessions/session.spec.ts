import { expect } from 'chai'
import { describe, it } from 'mocha'
import { sessionFrom, summaryFrom } from '../../lib/sessions/session.js'

const MOMENTS = { createdAt: 1_000, lastVisitAt: 2_000, expiresAt: 9_000, idleExpiresAt: 5_000 }
const DATES = {
  createdAt: new Date(1_000),
  lastVisitAt: new Date(2_000),
  expiresAt: new Date(9_000),
  idleExpiresAt: new Date(5_000),
}

describe('sessionFrom', () => {
  it('puts a session together, and leaves out the session_key even sealed', () => {
    const record = {
      appid: 'wx1',
      openid: 'o1',
      unionid: undefined,
      loginDurationMs: 9_000,
      sealedSessionKey: 'sealed',
      sealedPreviousKey: undefined,
      confirmedAt: 2_000,
      data: { accountId: 7 },
    }
    const userInfo = { nickName: 'Band', verified: true }
    expect(sessionFrom('id', record, MOMENTS, userInfo)).to.deep.equal({
      sessionId: 'id',
      appid: 'wx1',
      openid: 'o1',
      unionid: undefined,
      ...DATES,
      userInfo,
      confirmedAt: new Date(2_000),
      data: { accountId: 7 },
    })
  })
})

describe('summaryFrom', () => {
  it('is the id and the four moments, nothing else', () => {
    expect(summaryFrom('id', MOMENTS)).to.deep.equal({ sessionId: 'id', ...DATES })
  })
})
