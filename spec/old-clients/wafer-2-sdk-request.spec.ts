import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { RequestResult } from '../../sandbox/index.js'
import { type BackEnd, openBackEnd, WX_LOGIN } from './back-end.js'
import {
  failOf,
  loadOldClient,
  type SdkError,
  successOf,
  type Wafer2Sdk,
  type Wafer2UserInfo,
} from './old-clients.js'

interface Me {
  readonly code: number
  readonly error?: string
  readonly data: Wafer2UserInfo
}

describe('Wafer 2 SDK: request', () => {
  let backEnd: BackEnd
  let sdk: Wafer2Sdk

  beforeEach(async () => {
    backEnd = await openBackEnd()
    sdk = loadOldClient('wafer2-client-sdk')
    sdk.setLoginUrl(`${backEnd.url}/wafer2/login`)
  })
  afterEach(() => backEnd.close())

  function ask(options: { login?: boolean } = {}): Promise<RequestResult<Me>> {
    return successOf((callbacks) =>
      sdk.request<Me>({ url: `${backEnd.url}/wafer2/me`, ...options, ...callbacks }),
    )
  }

  function failToAsk(): Promise<SdkError> {
    return failOf<RequestResult>((callbacks) =>
      sdk.request({ url: `${backEnd.url}/wafer2/me`, ...callbacks }),
    )
  }

  /** Logs in and forgets the requests of the login. */
  async function logIn(): Promise<string | undefined> {
    await successOf<Wafer2UserInfo>((callbacks) => sdk.login(callbacks))
    backEnd.requests.length = 0
    backEnd.sandbox.clearCalls()
    return sdk.Session.get()?.skey
  }

  async function expectOneLoginAndRepeat(oldSkey: string | undefined): Promise<void> {
    const { statusCode, data } = await ask()
    expect(statusCode).to.equal(200)
    expect(data.code).to.equal(0)
    expect(data.data.openId).to.equal(backEnd.phone.openid)
    expect(backEnd.requests).to.deep.equal(['GET /wafer2/me', 'GET /wafer2/login', 'GET /wafer2/me'])
    expect(backEnd.exchanges()).to.equal(1)
    expect(sdk.Session.get()?.skey).to.be.a('string').and.not.equal(oldSkey)
    await ask()
    expect(backEnd.requests).to.have.lengthOf(4)
  }

  it('carries the skey and gets the user info', async () => {
    await logIn()
    const { data } = await ask()
    expect(data).to.deep.equal({ code: 0, data: sdk.Session.get()?.userinfo })
    expect(backEnd.requests).to.deep.equal(['GET /wafer2/me'])
    expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(0)
  })

  it('logs in before every request where the app asks for it', async () => {
    await ask({ login: true })
    await ask({ login: true })
    expect(backEnd.requests).to.deep.equal([
      'GET /wafer2/login',
      'GET /wafer2/me',
      'GET /wafer2/login',
      'GET /wafer2/me',
    ])
  })

  it('without any session logs in and is repeated', async () => {
    await expectOneLoginAndRepeat(undefined)
  })

  it('after the idle clock has run out logs in once and is repeated, and the profile is still there', async () => {
    const skey = await logIn()
    backEnd.passIdleTime()
    await expectOneLoginAndRepeat(skey)
    expect((await ask()).data.data.nickName).to.be.a('string')
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

  it('that is refused twice fails with a RequestError, and does not loop', async () => {
    await logIn()
    backEnd.endSessionsBefore('/wafer2/me')
    expect(await failToAsk()).to.include({ type: 'ERR_SKEY_INVALID', message: '登录态已过期' })
    expect(backEnd.requests).to.deep.equal(['GET /wafer2/me', 'GET /wafer2/login', 'GET /wafer2/me'])
  })

  it('whose login is refused fails, after one login', async () => {
    await logIn()
    backEnd.passIdleTime()
    backEnd.sandbox.misbehave({ errcode: 40029 })
    expect((await failToAsk()).message).to.equal('用户未登录过，请先使用 login() 登录')
    expect(backEnd.requests).to.deep.equal(['GET /wafer2/me', 'GET /wafer2/login'])
  })

  it('is answered with a 503 while Redis fails, and the session is kept', async () => {
    const skey = await logIn()
    await backEnd.loseRedis()
    const { statusCode, data } = await ask()
    expect(statusCode).to.equal(503)
    expect(data).to.include({ code: 1, error: 'ERR_STORE_UNAVAILABLE' })
    expect(backEnd.requests).to.deep.equal(['GET /wafer2/me'])
    expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(0)
    await backEnd.findRedis()
    expect((await ask()).statusCode).to.equal(200)
    expect(sdk.Session.get()?.skey).to.equal(skey)
  })
})
