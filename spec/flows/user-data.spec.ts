import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { WeappError } from '../../lib/index.js'
import { encryptOpenData } from '../../sandbox/open-data.js'
import { weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

describe('user data', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  const logIn = async (phone = bed.phone) => {
    const { session } = await bed.sessions.login({ code: (await phone.wx.login()).code })
    return session
  }
  const encrypted = async (phone = bed.phone) => {
    const { encryptedData, iv } = await phone.wx.getUserInfo({ withCredentials: true })
    return { encryptedData: encryptedData ?? '', iv: iv ?? '' }
  }
  const signed = async () => {
    const { rawData, signature } = await bed.phone.wx.getUserInfo({ withCredentials: true })
    return { rawData, signature: signature ?? '' }
  }

  it('is decrypted with the session_key of the session', async () => {
    const session = await logIn()
    const data = await bed.sessions.decrypt(session, await encrypted())
    expect(data).to.include({ openId: bed.phone.openid, unionId: bed.phone.unionid })
    expect(data.watermark.appid).to.equal(bed.phone.appid)
  })

  it('is decrypted with a newer login’s key, which has replaced that of the session', async () => {
    const older = await logIn()
    await logIn()
    const data = await bed.sessions.decrypt(older, await encrypted())
    expect(data.openId).to.equal(bed.phone.openid)
  })

  it('is decrypted with an older login’s key, which was current when the data was made', async () => {
    await logIn()
    const data = await encrypted()
    const newer = await logIn()
    expect((await bed.sessions.decrypt(newer, data)).openId).to.equal(bed.phone.openid)
  })

  it('brought to a login together with a code that replaced its key is still decrypted', async () => {
    await logIn()
    const data = await encrypted()
    const { code } = await bed.phone.wx.login()
    const { session } = await bed.sessions.login({ code, ...data })
    expect(session.userInfo?.verified).to.equal(true)
  })

  describe('of 2016, whose iv is the session_key', () => {
    const encryptedIn2016 = () => {
      const { openid, appid } = bed.phone
      const key = bed.sandbox.sessionKeyOf(bed.phone) ?? ''
      const profile = { openId: openid, nickName: 'Ada', avatarUrl: '', watermark: { appid, timestamp: 1 } }
      return encryptOpenData(JSON.stringify(profile), key, key)
    }

    it('is decrypted where ivIsKey says so', async () => {
      const session = await logIn()
      const encryptedData = encryptedIn2016()
      const ivIsKey = true
      expect(await bed.sessions.decrypt(session, { encryptedData }, { ivIsKey })).to.include({
        nickName: 'Ada',
      })
      const data = { encryptedData, ivIsKey }
      const userInfo = await bed.sessions.setUserInfo(session, data)
      expect(userInfo).to.deep.equal({ nickName: 'Ada', avatarUrl: '', verified: true })
    })

    it('comes with a login as well', async () => {
      const { code } = await bed.phone.wx.login()
      const data = { encryptedData: encryptedIn2016(), ivIsKey: true }
      const { session } = await bed.sessions.login({ code, ...data })
      expect(session.userInfo).to.deep.equal({ nickName: 'Ada', avatarUrl: '', verified: true })
    })

    it('is malformed without an iv where ivIsKey does not say so', async () => {
      const session = await logIn()
      const encryptedData = encryptedIn2016()
      await weappErrorOf('ERR_DATA_MALFORMED', () => bed.sessions.decrypt(session, { encryptedData }))
      await weappErrorOf('ERR_REQUEST_INVALID', () => bed.sessions.setUserInfo(session, { encryptedData }))
    })
  })

  it('is ERR_SESSION_KEY_STALE once WeChat has replaced the key by itself', async () => {
    const session = await logIn()
    bed.sandbox.rotateSessionKey(bed.phone)
    await expectStale(bed.sessions.decrypt(session, await encrypted()))
  })

  it('of another user or another session is never decrypted', async () => {
    const session = await logIn()
    const other = bed.sandbox.phone()
    await logIn(other)
    await expectStale(bed.sessions.decrypt(session, await encrypted(other)))
  })

  it('is not decrypted after the session has ended, nor are its keys used for others', async () => {
    const session = await logIn()
    const data = await encrypted()
    await bed.sessions.revoke(session)
    await expectStale(bed.sessions.decrypt(session, data))
  })

  it('is verified by its signature, byte for byte', async () => {
    const session = await logIn()
    const { rawData, signature } = await signed()
    await bed.sessions.verifySignature(session, { rawData, signature })
    await expectStale(
      bed.sessions.verifySignature(session, { rawData: rawData.replace('{', '{ '), signature }),
    )
    await expectStale(bed.sessions.verifySignature(session, { rawData, signature: '0'.repeat(40) }))
  })

  it('without a signature is never taken for verified', async () => {
    const session = await logIn()
    const nothing = {} as { rawData: string; signature: string }
    const error = await bed.sessions.verifySignature(session, nothing).catch((reason: unknown) => reason)
    expect((error as WeappError).code).to.equal('ERR_DATA_MALFORMED')
  })

  it('that is both signed and encrypted has to be right in both', async () => {
    const session = await logIn()
    const [data, { rawData, signature }] = [await encrypted(), await signed()]
    const userInfo = await bed.sessions.setUserInfo(session, { ...data, rawData, signature })
    expect(userInfo?.verified).to.equal(true)
    await expectStale(bed.sessions.setUserInfo(session, { ...data, rawData, signature: '0'.repeat(40) }))
    const broken = { ...data, encryptedData: 'AAAAAAAAAAAAAAAAAAAAAA==' }
    await expectStale(bed.sessions.setUserInfo(session, { ...broken, rawData, signature }))
  })

  it('that WeChat vouched for is preferred to what was typed in', async () => {
    const session = await logIn()
    const userInfo = await bed.sessions.setUserInfo(session, {
      ...(await signed()),
      userInfo: { nickName: 'x' },
    })
    expect(userInfo?.nickName).not.to.equal('x')
  })

  it('is deleted with null, for all sessions of the user', async () => {
    const { token } = await bed.sessions.login({ code: (await bed.phone.wx.login()).code })
    const session = await bed.sessions.authenticate(token)
    await bed.sessions.setUserInfo(session, { userInfo: { nickName: 'Ada' } })
    expect(await bed.sessions.setUserInfo(session, null)).to.equal(null)
    expect((await bed.sessions.authenticate(token)).userInfo).to.equal(null)
  })

  it('that was typed in is forgotten after its duration', async () => {
    await bed.close()
    bed = await openTestBed({ app: { userInfoDurationDays: 1, loginDurationDays: 2 } })
    const { token, session } = await bed.sessions.login({ code: (await bed.phone.wx.login()).code })
    await bed.sessions.setUserInfo(session, { userInfo: { nickName: 'Ada' } })
    bed.clock.advance(86_399_999)
    expect((await bed.sessions.authenticate(token)).userInfo?.nickName).to.equal('Ada')
    bed.clock.advance(1)
    expect((await bed.sessions.authenticate(token)).userInfo).to.equal(null)
  })
})

async function expectStale(work: Promise<unknown>): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).to.be.instanceOf(WeappError)
  expect(error).to.include({ code: 'ERR_SESSION_KEY_STALE', status: 409 })
  expect((error as WeappError).message).to.contain('wx.login')
}
