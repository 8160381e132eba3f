import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { UserInfo } from '../../sandbox/index.js'
import { type BackEnd, openBackEnd, WX_LOGIN } from './back-end.js'
import { failOf, loadOldClient, type SdkError, successOf, type Wafer1Sdk } from './old-clients.js'

interface Me {
  readonly code: number
  readonly data: { readonly userInfo: UserInfo & { readonly openId: string } }
}

describe('Wafer 1 SDK: business request', () => {
  let backEnd: BackEnd
  let sdk: Wafer1Sdk

  beforeEach(async () => {
    backEnd = await openBackEnd()
    sdk = loadOldClient('wafer-client-sdk')
    sdk.setLoginUrl(`${backEnd.url}/wafer/login`)
  })
  afterEach(() => backEnd.close())

  async function ask(options: { login?: boolean } = {}): Promise<Me> {
    const { data } = await successOf<{ data: Me }>((callbacks) =>
      sdk.request({ url: `${backEnd.url}/wafer/me`, ...options, ...callbacks }),
    )
    return data
  }

  function failToAsk(): Promise<SdkError> {
    return failOf<{ data: unknown }>((callbacks) =>
      sdk.request({ url: `${backEnd.url}/wafer/me`, ...callbacks }),
    )
  }

  /** Logs in and forgets the requests of the login. */
  async function logIn(): Promise<string | undefined> {
    await successOf<UserInfo>((callbacks) => sdk.login(callbacks))
    backEnd.requests.length = 0
    backEnd.sandbox.clearCalls()
    return sdk.buildSessionHeader()['X-WX-Skey']
  }

  async function expectOneLoginAndRepeat(oldSkey: string | undefined): Promise<void> {
    expect((await ask()).data.userInfo.openId).to.equal(backEnd.phone.openid)
    expect(backEnd.requests).to.deep.equal(['GET /wafer/me', 'GET /wafer/login', 'GET /wafer/me'])
    expect(backEnd.exchanges()).to.equal(1)
    expect(sdk.buildSessionHeader()['X-WX-Skey']).to.be.a('string').and.not.equal(oldSkey)
    await ask()
    expect(backEnd.requests).to.have.lengthOf(4)
  }

  it('carries the session and gets the user info', async () => {
    await logIn()
    const { userInfo } = await backEnd.phone.wx.getUserInfo({ withCredentials: false })
    const me = await ask()
    expect(me.code).to.equal(0)
    expect(me.data.userInfo).to.deep.include({
      ...userInfo,
      openId: backEnd.phone.openid,
      unionId: backEnd.phone.unionid,
    })
    expect(backEnd.requests).to.deep.equal(['GET /wafer/me'])
    expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(0)
  })

  it('logs in first where the app asks for it, and not again while the session is good', async () => {
    await ask({ login: true })
    await ask({ login: true })
    expect(backEnd.requests).to.deep.equal(['GET /wafer/login', 'GET /wafer/me', 'GET /wafer/me'])
    expect(backEnd.exchanges()).to.equal(1)
  })

  it('without any session logs in and is repeated', async () => {
    await expectOneLoginAndRepeat(undefined)
  })

  it('after the idle clock has run out logs in once and is repeated', async () => {
    const skey = await logIn()
    backEnd.passIdleTime()
    await expectOneLoginAndRepeat(skey)
  })

  it('after the absolute clock has run out, in spite of its visits, logs in once and is repeated', async () => {
    const skey = await logIn()
    await backEnd.passLoginTime(ask)
    expect(backEnd.exchanges()).to.equal(0)
    backEnd.requests.length = 0
    await expectOneLoginAndRepeat(skey)
  })

  it('after the session was ended on the server logs in once and is repeated', async () => {
    const skey = await logIn()
    expect(await backEnd.endSessions()).to.equal(1)
    await expectOneLoginAndRepeat(skey)
  })

  it('with an id that is not the one of the skey logs in once and is repeated', async () => {
    const skey = await logIn()
    const key = 'weapp_session_F2C224D4-2BCE-4C64-AF9F-A6D872000D1A'
    const session = backEnd.phone.wx.getStorageSync<object>(key)
    backEnd.phone.wx.setStorageSync(key, { ...session, id: 'A'.repeat(20) })
    await expectOneLoginAndRepeat(skey)
  })

  it('that is refused twice fails, and does not loop', async () => {
    await logIn()
    backEnd.endSessionsBefore('/wafer/me')
    expect(await failToAsk()).to.include({ type: 'ERR_INVALID_SESSION', message: '登录态已过期' })
    expect(backEnd.requests).to.deep.equal(['GET /wafer/me', 'GET /wafer/login', 'GET /wafer/me'])
  })

  it('whose login is refused fails with the reason', async () => {
    await logIn()
    backEnd.passIdleTime()
    backEnd.sandbox.misbehave({ errcode: 40029 })
    const { type, message } = await failToAsk()
    expect(type).to.equal('ERR_LOGIN_MISSING_SESSION')
    expect(message).to.contain('ERR_CODE_INVALID')
    expect(backEnd.requests).to.deep.equal(['GET /wafer/me', 'GET /wafer/login'])
  })

  it('does not log in while Redis fails, as a login would help nobody', async () => {
    await logIn()
    await backEnd.loseRedis()
    expect(await failToAsk()).to.include({
      type: 'ERR_CHECK_LOGIN_FAILED',
      message:
        '鉴权服务器检查登录态发生错误(ERR_CHECK_LOGIN_FAILED)：检查登录态失败（ERR_STORE_UNAVAILABLE）',
    })
    expect(backEnd.requests).to.deep.equal(['GET /wafer/me'])
    expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(0)
  })

  it('logs in once after Redis has come back, as the client has dropped its session', async () => {
    await logIn()
    await backEnd.loseRedis()
    await failToAsk()
    await backEnd.findRedis()
    expect((await ask()).data.userInfo.openId).to.equal(backEnd.phone.openid)
    expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(1)
  })

  it('needs no WeChat while the session is good', async () => {
    await logIn()
    await backEnd.sandbox.takeDown()
    expect((await ask()).data.userInfo.openId).to.equal(backEnd.phone.openid)
  })
})
