import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aSandbox } from './a-sandbox.js'

describe('a phone', () => {
  const sandbox = aSandbox()

  it('has a wx whose methods may be taken off it', async () => {
    const { login, checkSession, request, setStorageSync, getStorageSync } = sandbox().phone().wx
    const { code } = await login()
    await checkSession()
    setStorageSync('code', code)
    expect(getStorageSync('code')).to.equal(code)
    expect((await request({ url: sandbox().url })).statusCode).to.equal(404)
  })

  it('has a wx that old SDKs find complete', () => {
    expect(sandbox().phone().wx).to.have.all.keys(
      'login',
      'checkSession',
      'getUserInfo',
      'getUserProfile',
      'getWeRunData',
      'getGroupEnterInfo',
      'getShareInfo',
      'request',
      'uploadFile',
      'downloadFile',
      'setStorage',
      'getStorage',
      'removeStorage',
      'clearStorage',
      'getStorageInfo',
      'setStorageSync',
      'getStorageSync',
      'removeStorageSync',
      'connectSocket',
      'onSocketOpen',
      'onSocketMessage',
      'onSocketClose',
      'onSocketError',
      'clearStorageSync',
      'getStorageInfoSync',
    )
  })

  it('has a storage of its own, also beside another phone of the user', () => {
    const phone = sandbox().phone()
    phone.wx.setStorageSync('token', 'abc')
    expect(sandbox().phone({ user: phone.user }).wx.getStorageSync('token')).to.equal('')
  })

  it('can still use its storage while it is offline', () => {
    const phone = sandbox().phone()
    phone.offline = true
    phone.wx.setStorageSync('token', 'abc')
    expect(phone.wx.getStorageSync('token')).to.equal('abc')
    expect(phone.offline).to.equal(true)
  })

  it('goes offline alone', async () => {
    const [phone, other] = [sandbox().phone(), sandbox().phone()]
    phone.offline = true
    expect((await other.wx.login()).errMsg).to.equal('login:ok')
  })
})
