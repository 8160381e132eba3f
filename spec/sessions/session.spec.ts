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

const RECORD = {
  appid: 'wx1',
  openid: 'o1',
  unionid: undefined,
  loginDurationMs: 9_000,
  sealedSessionKey: 'sealed',
  sealedPreviousKey: undefined,
  device: 'Pixel 7',
  confirmedAt: 2_000,
  data: { accountId: 7 },
}

describe('sessionFrom', () => {
  it('puts a session together, and leaves out the session_key even sealed', () => {
    const userInfo = { nickName: 'Band', verified: true }
    expect(sessionFrom('id', RECORD, MOMENTS, userInfo)).to.deep.equal({
      sessionId: 'id',
      appid: 'wx1',
      openid: 'o1',
      unionid: undefined,
      device: 'Pixel 7',
      ...DATES,
      userInfo,
      confirmedAt: new Date(2_000),
      data: { accountId: 7 },
    })
  })
})

describe('summaryFrom', () => {
  it('is the id, the device and the four moments, nothing else', () => {
    expect(summaryFrom('id', RECORD, MOMENTS)).to.deep.equal({ sessionId: 'id', device: 'Pixel 7', ...DATES })
  })
})
