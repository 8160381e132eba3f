import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { UserInfo } from '../../sandbox/index.js'
import { type BackEnd, openBackEnd, WX_LOGIN } from './back-end.js'
import { failOf, loadOldClient, successOf, type Wafer1Sdk } from './old-clients.js'

const STORED = 'weapp_session_F2C224D4-2BCE-4C64-AF9F-A6D872000D1A'
const CHECK_SESSION = '/sandbox/check-session'

describe('Wafer 1 SDK: login', () => {
  let backEnd: BackEnd
  let sdk: Wafer1Sdk

  beforeEach(async () => {
    backEnd = await openBackEnd()
    sdk = loadOldClient('wafer-client-sdk')
    sdk.setLoginUrl(`${backEnd.url}/wafer/login`)
  })
  afterEach(() => backEnd.close())

  const logIn = (method?: 'GET' | 'POST') =>
    successOf<UserInfo>((callbacks) => sdk.login({ ...(method && { method }), ...callbacks }))
  const failLogin = () => failOf<UserInfo>((callbacks) => sdk.login(callbacks))
  const stored = () => backEnd.phone.wx.getStorageSync(STORED)

  it('keeps id and skey on the phone and answers the user info', async () => {
    const { userInfo } = await phoneUserInfo()
    expect(await logIn()).to.deep.equal(userInfo)
    expect(stored()).to.have.all.keys('id', 'skey', 'userInfo')
    expect(sdk.buildSessionHeader()).to.have.all.keys('X-WX-Id', 'X-WX-Skey')
    expect(backEnd.requests).to.deep.equal(['GET /wafer/login'])
    expect(backEnd.exchanges()).to.equal(1)
  })

  async function phoneUserInfo() {
    return backEnd.phone.wx.getUserInfo({ withCredentials: false })
  }

  it('is also served where the app asks for POST', async () => {
    await logIn('POST')
    expect(backEnd.requests).to.deep.equal(['POST /wafer/login'])
    expect(stored()).to.have.property('skey')
  })

  it('the second time asks wx.checkSession and no server', async () => {
    const first = await logIn()
    const session = stored()
    expect(await logIn()).to.deep.equal(first)
    expect(stored()).to.deep.equal(session)
    expect(backEnd.sandbox.callCount(CHECK_SESSION)).to.equal(1)
    expect(backEnd.requests).to.deep.equal(['GET /wafer/login'])
    expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(1)
  })

  it('happens again when wx.checkSession says that the session_key is out of date', async () => {
    await logIn()
    const session = stored()
    backEnd.sandbox.rotateSessionKey(backEnd.phone)
    await logIn()
    expect(stored()).to.have.property('id', (session as { id: string }).id)
    expect(stored()).not.to.have.property('skey', (session as { skey: string }).skey)
    expect(backEnd.exchanges()).to.equal(2)
  })

  it('survives a new start of the mini-program, as the storage does', async () => {
    await logIn()
    sdk = loadOldClient('wafer-client-sdk')
    sdk.setLoginUrl(`${backEnd.url}/wafer/login`)
    await logIn()
    expect(backEnd.exchanges()).to.equal(1)
  })

  describe('failure', () => {
    async function expectRefused(reason: string): Promise<void> {
      const { type, message } = await failLogin()
      expect(type).to.equal('ERR_LOGIN_MISSING_SESSION')
      expect(message).to.contain(`登录失败(ERR_LOGIN_FAILED)：登录小程序会话失败（${reason}）：`)
      expect(stored()).to.equal('')
      expect(backEnd.requests).to.deep.equal(['GET /wafer/login'])
    }

    it('is reported when WeChat refuses the code', async () => {
      backEnd.sandbox.misbehave({ errcode: 40029 })
      await expectRefused('ERR_CODE_INVALID')
    })

    it('is reported when WeChat gives the server no answer', async () => {
      backEnd.sandbox.misbehave('drop')
      await expectRefused('ERR_WECHAT_NO_ANSWER')
    })

    it('is reported when WeChat is busy', async () => {
      backEnd.sandbox.misbehave({ errcode: -1 })
      await expectRefused('ERR_WECHAT_BUSY')
    })

    it('is reported when Redis fails, and no code is spent', async () => {
      await backEnd.loseRedis()
      await expectRefused('ERR_STORE_UNAVAILABLE')
      expect(backEnd.exchanges()).to.equal(0)
      await backEnd.findRedis()
      await logIn()
      expect(stored()).to.have.property('skey')
    })

    it('is reported when the phone cannot reach WeChat, and the server hears nothing of it', async () => {
      backEnd.phone.offline = true
      expect(await failLogin()).to.include({
        type: 'ERR_WX_LOGIN_FAILED',
        message: '微信登录失败，请检查网络状态',
      })
      expect(backEnd.requests).to.deep.equal([])
    })

    it('is reported when the phone cannot reach the server', async () => {
      sdk.setLoginUrl('http://127.0.0.1:1/wafer/login')
      expect(await failLogin()).to.include({
        type: 'ERR_LOGIN_FAILED',
        message: '登录失败，可能是网络错误或者服务器发生异常',
      })
    })

    it('is reported without a login URL', async () => {
      sdk = loadOldClient('wafer-client-sdk')
      expect(await failLogin()).to.include({ type: 'ERR_INVALID_PARAMS' })
    })
  })
})
