import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Session } from '../../lib/index.js'
import { durationOf, legacyUserInfo } from '../../lib/protocols/legacy-user-info.js'

const LOGIN_MS = 1_700_000_000_999

const session: Session = {
  appid: 'wx1',
  openid: 'o-1',
  unionid: 'u-1',
  sessionId: 's-1',
  device: undefined,
  createdAt: new Date(LOGIN_MS),
  lastVisitAt: new Date(LOGIN_MS + 60_000),
  expiresAt: new Date(LOGIN_MS + 86_400_000),
  idleExpiresAt: new Date(LOGIN_MS + 60_000 + 7_200_000),
  userInfo: null,
  confirmedAt: undefined,
  data: { userId: 1 },
}
const watermark = { appid: 'wx1', timestamp: 1_700_000_000 }

describe('the user info of 2016', () => {
  it('holds the identity and the watermark even without a profile', () => {
    expect(legacyUserInfo(session)).to.deep.equal({ openId: 'o-1', unionId: 'u-1', watermark })
  })

  it('leaves out the unionId that WeChat did not tell', () => {
    const { unionid: _, ...rest } = session
    expect(legacyUserInfo({ ...rest, unionid: undefined })).to.deep.equal({ openId: 'o-1', watermark })
  })

  it('holds the profile that WeChat vouched for as it was', () => {
    const userInfo = { nickName: '小明', gender: 1, verified: true }
    const expected = { nickName: '小明', gender: 1, openId: 'o-1', unionId: 'u-1', watermark }
    expect(legacyUserInfo({ ...session, userInfo })).to.deep.equal(expected)
  })

  it('says of a profile that the user typed in that nobody verified it', () => {
    const userInfo = { nickName: '小明', verified: false }
    expect(legacyUserInfo({ ...session, userInfo })).to.include({ nickName: '小明', verified: false })
  })

  it('takes the identity from the session, whatever a profile says', () => {
    const userInfo = { openId: 'o-2', unionId: 'u-2', watermark: 'x', verified: true }
    expect(legacyUserInfo({ ...session, userInfo })).to.deep.equal({
      openId: 'o-1',
      unionId: 'u-1',
      watermark,
    })
  })

  it('gives away nothing else of the session', () => {
    expect(legacyUserInfo(session)).to.have.all.keys('openId', 'unionId', 'watermark')
  })
})

describe('the duration', () => {
  it('is the whole seconds from the last visit to the nearer end', () => {
    expect(durationOf(session)).to.equal(7200)
    expect(durationOf({ ...session, idleExpiresAt: new Date(LOGIN_MS + 61_400) })).to.equal(1)
  })
})
