import { expect } from 'chai'
import express, { type Express } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { RequestResult, UserInfo } from '../../sandbox/index.js'
import { type BackEnd, type Listener, listen, openBackEnd, WX_LOGIN } from './back-end.js'
import {
  failOf,
  loadOldClient,
  type SdkError,
  successOf,
  type Wafer1Sdk,
  type Wafer2UserInfo,
} from './old-clients.js'

interface Me {
  readonly data: { readonly userInfo: Wafer2UserInfo }
}

/** A business server as its README has it: it knows no secret, and asks the session server about every request. */
function businessServer(authServerUrl: string, logins: unknown[]): Express {
  const { config, LoginService } = loadOldClient('qcloud-weapp-server-sdk')
  config({ AuthServerUrl: authServerUrl })
  const ignore = () => undefined
  const app = express()
  app.get('/login', (req, res) => {
    LoginService.create(req, res)
      .login()
      .then(({ userInfo }) => logins.push(userInfo), ignore)
  })
  app.get('/me', (req, res) => {
    LoginService.create(req, res)
      .check()
      .then(({ userInfo }) => res.json({ code: 0, data: { userInfo } }), ignore)
  })
  return app
}

describe('P2 Wafer session server: a business server with qcloud-weapp-server-sdk', () => {
  let backEnd: BackEnd
  let business: Listener
  let sdk: Wafer1Sdk
  /** The user infos that the business server got with its logins. */
  let logins: Wafer2UserInfo[]

  beforeEach(async () => {
    backEnd = await openBackEnd()
    logins = []
    business = await listen(businessServer(`${backEnd.url}/mina_auth/`, logins))
    sdk = loadOldClient('wafer-client-sdk')
    sdk.setLoginUrl(`${business.url}/login`)
  })
  afterEach(async () => {
    await business.close()
    await backEnd.close()
  })

  const request = {
    get url() {
      return `${business.url}/me`
    },
  }
  const ask = () => successOf<RequestResult<Me>>((callbacks) => sdk.request({ ...request, ...callbacks }))
  const failToAsk = (): Promise<SdkError> =>
    failOf<RequestResult<Me>>((callbacks) => sdk.request({ ...request, ...callbacks }))
  const failLogin = () => failOf<UserInfo>((callbacks) => sdk.login(callbacks))

  /** Logs in and forgets the requests of the login. */
  async function logIn(): Promise<void> {
    await successOf<UserInfo>((callbacks) => sdk.login(callbacks))
    for (const { requests } of [business, backEnd]) requests.length = 0
    backEnd.sandbox.clearCalls()
  }

  async function expectOneLoginAndRepeat(): Promise<void> {
    const { data } = await ask()
    expect(data.data.userInfo.openId).to.equal(backEnd.phone.openid)
    expect(business.requests).to.deep.equal(['GET /me', 'GET /login', 'GET /me'])
    expect(backEnd.requests).to.deep.equal(Array(3).fill('POST /mina_auth/'))
    expect(backEnd.exchanges()).to.equal(1)
  }

  it('logs in, and has the user info of WeChat', async () => {
    await logIn()
    const { userInfo } = await backEnd.phone.wx.getUserInfo({ withCredentials: false })
    expect(logins).to.have.lengthOf(1)
    expect(logins[0]).to.deep.include({ ...userInfo, openId: backEnd.phone.openid })
  })

  it('gets the same user info with every request', async () => {
    await logIn()
    expect((await ask()).data.data.userInfo).to.deep.equal(logins[0])
    expect(backEnd.requests).to.deep.equal(['POST /mina_auth/'])
    expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(0)
  })

  it('tells the phone that the idle clock has run out, which logs in once and repeats the request', async () => {
    await logIn()
    backEnd.passIdleTime()
    await expectOneLoginAndRepeat()
  })

  it('tells the phone that the absolute clock has run out, which logs in once and repeats the request', async () => {
    await logIn()
    await backEnd.passLoginTime(ask)
    for (const { requests } of [business, backEnd]) requests.length = 0
    await expectOneLoginAndRepeat()
  })

  it('tells the phone that the session was ended, which logs in once and repeats the request', async () => {
    await logIn()
    expect(await backEnd.endSessions()).to.equal(1)
    await expectOneLoginAndRepeat()
  })

  it('tells the phone a second time, which fails then and does not loop', async () => {
    await logIn()
    const end = () => backEnd.passIdleTime()
    business.onRequest = (request) => request === 'GET /me' && end()
    expect(await failToAsk()).to.include({ type: 'ERR_INVALID_SESSION', message: '登录态已过期' })
    expect(business.requests).to.deep.equal(['GET /me', 'GET /login', 'GET /me'])
  })

  it('does not send the phone to log in while Redis fails', async () => {
    await logIn()
    await backEnd.loseRedis()
    const { type, message } = await failToAsk()
    expect(type).to.equal('ERR_CHECK_LOGIN_FAILED')
    expect(message).to.match(
      /^鉴权服务器检查登录态发生错误\(ERR_CHECK_LOGIN_FAILED\)：鉴权服务调用失败：1001 - /,
    )
    expect(business.requests).to.deep.equal(['GET /me'])
    expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(0)
  })

  const troubles: [string, () => unknown, string][] = [
    ['Redis fails', () => backEnd.loseRedis(), '1001 - '],
    ['WeChat gives no answer', () => backEnd.sandbox.misbehave('drop'), '1005 - WEIXIN_NET_ERR'],
    [
      'WeChat refuses the code',
      () => backEnd.sandbox.misbehave({ errcode: 40029 }),
      '40029 - WEIXIN_CODE_ERR',
    ],
  ]
  for (const [title, begin, answer] of troubles) {
    it(`reports a failed login when ${title}`, async () => {
      await begin()
      const { type, message } = await failLogin()
      expect(type).to.equal('ERR_LOGIN_MISSING_SESSION')
      expect(message).to.contain(`登录失败(ERR_LOGIN_FAILED)：鉴权服务调用失败：${answer}`)
      expect(sdk.buildSessionHeader()).to.deep.equal({})
      expect(logins).to.deep.equal([])
    })
  }
})
