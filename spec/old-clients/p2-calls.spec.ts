import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type BackEnd, openBackEnd } from './back-end.js'
import { call, logIn, loginPara, oldLoginPara, type WaferServerLogin } from './p2-call.js'

const SEVEN_DAYS = 604_800

describe('P2 Wafer session server: the documented curl call', () => {
  let backEnd: BackEnd

  beforeEach(async () => {
    backEnd = await openBackEnd()
  })
  afterEach(() => backEnd.close())

  it('with an iv logs in, and answers the user info under both of its names', async () => {
    const answer = await call(backEnd, 'qcloud.cam.id_skey', await loginPara(backEnd))
    expect(answer).to.include({ returnCode: 0, returnMessage: 'NEW_SESSION_SUCCESS' })
    const login = answer.returnData as WaferServerLogin
    expect(login).to.have.all.keys('id', 'skey', 'user_info', 'userInfo', 'duration')
    const { userInfo } = await backEnd.phone.wx.getUserInfo({ withCredentials: false })
    expect(login.user_info).to.deep.include({ ...userInfo, openId: backEnd.phone.openid })
    expect(login.userInfo).to.deep.equal(login.user_info)
    expect(login.duration).to.equal(SEVEN_DAYS)
  })

  it('without an iv logs in with data whose iv is the key', async () => {
    const { code, encrypt_data } = await oldLoginPara(backEnd)
    const answer = await call(backEnd, 'qcloud.cam.id_skey', { code, encrypt_data })
    expect(answer).to.include({ returnCode: 0, returnMessage: 'NEW_SESSION_SUCCESS' })
    const { userInfo } = await backEnd.phone.wx.getUserInfo({ withCredentials: false })
    expect((answer.returnData as WaferServerLogin).user_info).to.deep.include(userInfo)
  })

  it('with an empty iv is a call without one', async () => {
    const { code, encrypt_data } = await oldLoginPara(backEnd)
    const answer = await call(backEnd, 'qcloud.cam.id_skey', { code, encrypt_data, iv: '' })
    expect(answer.returnCode).to.equal(0)
  })

  it('logs in again under the same id with a new skey', async () => {
    const first = await logIn(backEnd)
    const answer = await call(backEnd, 'qcloud.cam.id_skey', await loginPara(backEnd))
    expect(answer).to.include({ returnCode: 0, returnMessage: 'UPDATE_SESSION_SUCCESS' })
    const second = answer.returnData as WaferServerLogin
    expect(second.id).to.equal(first.id)
    expect(second.skey).to.not.equal(first.skey)
  })

  it('authenticates', async () => {
    const { id, skey, user_info } = await logIn(backEnd)
    const answer = await call(backEnd, 'qcloud.cam.auth', { id, skey })
    expect(answer).to.include({ returnCode: 0, returnMessage: 'AUTH_SUCCESS' })
    expect(answer.returnData).to.deep.equal({ user_info, userInfo: user_info })
  })

  it('keeps a session for as long as it is visited, up to its absolute end', async () => {
    const { id, skey } = await logIn(backEnd)
    const visit = async () => {
      expect(await call(backEnd, 'qcloud.cam.auth', { id, skey })).to.include({ returnCode: 0 })
    }
    await backEnd.passLoginTime(visit)
    expect(await call(backEnd, 'qcloud.cam.auth', { id, skey })).to.include({ returnCode: 60012 })
  })

  it('decrypts with an iv', async () => {
    const { id, skey } = await logIn(backEnd)
    const { userInfo, encryptedData, iv } = await backEnd.phone.wx.getUserInfo()
    const para = { id, skey, encrypt_data: encryptedData, iv }
    const answer = await call(backEnd, 'qcloud.cam.decrypt', para)
    expect(answer).to.include({ returnCode: 0, returnMessage: 'DECRYPT_SUCCESS' })
    expect(JSON.parse(answer.returnData as string)).to.deep.include({
      ...userInfo,
      openId: backEnd.phone.openid,
    })
  })

  it('decrypts data whose iv is the key without one, to the letter', async () => {
    const { code, encrypt_data, text } = await oldLoginPara(backEnd)
    const login = await call(backEnd, 'qcloud.cam.id_skey', { code, encrypt_data })
    const { id, skey } = login.returnData as WaferServerLogin
    const answer = await call(backEnd, 'qcloud.cam.decrypt', { id, skey, encrypt_data })
    expect(answer.returnData).to.equal(text)
  })
})
