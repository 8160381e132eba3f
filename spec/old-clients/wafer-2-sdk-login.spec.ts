import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type BackEnd, openBackEnd, WX_LOGIN } from './back-end.js'
import {
  failOf,
  loadOldClient,
  type SdkError,
  successOf,
  type Wafer2Sdk,
  type Wafer2UserInfo,
} from './old-clients.js'

type Entry = 'login' | 'loginWithCode'

describe('Wafer 2 SDK: login', () => {
  let backEnd: BackEnd
  let sdk: Wafer2Sdk

  beforeEach(async () => {
    backEnd = await openBackEnd()
    sdk = loadOldClient('wafer2-client-sdk')
    sdk.setLoginUrl(`${backEnd.url}/wafer2/login`)
  })
  afterEach(() => backEnd.close())

  const enter = (entry: Entry, method: 'GET' | 'POST' = 'GET') =>
    successOf<Wafer2UserInfo>((callbacks) => sdk[entry]({ method, ...callbacks }))
  const failToEnter = (entry: Entry): Promise<SdkError> =>
    failOf<Wafer2UserInfo>((callbacks) => sdk[entry](callbacks))

  it('with user info answers it, and keeps skey, userinfo and time', async () => {
    const { userInfo } = await backEnd.phone.wx.getUserInfo({ withCredentials: false })
    const userinfo = await enter('login')
    const { openid: openId, unionid: unionId } = backEnd.phone
    expect(userinfo).to.deep.include({ ...userInfo, openId, unionId })
    const session = sdk.Session.get()
    expect(session).to.have.all.keys('skey', 'userinfo', 'time')
    expect(session?.userinfo).to.deep.equal(userinfo)
    expect(session?.time).to.be.a('number')
    expect(backEnd.requests).to.deep.equal(['GET /wafer2/login'])
  })

  it('with a code alone knows a user without a profile by the openId', async () => {
    const userinfo = await enter('loginWithCode')
    expect(userinfo).to.have.all.keys('openId', 'unionId', 'watermark')
    expect(userinfo.openId).to.equal(backEnd.phone.openid)
    expect(sdk.Session.get()?.skey).to.be.a('string')
  })

  it('with a code alone keeps the profile of an earlier login', async () => {
    const first = await enter('login')
    const firstSkey = sdk.Session.get()?.skey
    expect(await enter('loginWithCode')).to.deep.equal(first)
    expect(sdk.Session.get()?.skey).to.not.equal(firstSkey)
    expect(first.nickName).to.be.a('string')
  })

  for (const entry of ['login', 'loginWithCode'] as const) {
    describe(`by ${entry}`, () => {
      it('is also served where the app asks for POST', async () => {
        await enter(entry, 'POST')
        expect(backEnd.requests).to.deep.equal(['POST /wafer2/login'])
      })

      it('asks WeChat every time, for the SDK has no check of its own', async () => {
        await enter(entry)
        await enter(entry)
        expect(backEnd.exchanges()).to.equal(2)
      })

      const troubles: [string, () => unknown, string][] = [
        [
          'WeChat refuses the code',
          () => backEnd.sandbox.misbehave({ errcode: 40029 }),
          'ERR_GET_SESSION_KEY',
        ],
        ['WeChat gives no answer', () => backEnd.sandbox.misbehave('drop'), 'ERR_WECHAT_NO_ANSWER'],
        ['Redis fails', () => backEnd.loseRedis(), 'ERR_STORE_UNAVAILABLE'],
      ]
      for (const [title, begin, error] of troubles) {
        it(`is reported as failed, and nothing is kept, when ${title}`, async () => {
          await begin()
          const { message } = await failToEnter(entry)
          if (entry === 'login') expect(answerIn(message)).to.include({ code: -1, error })
          else expect(message).to.equal('用户未登录过，请先使用 login() 登录')
          expect(sdk.Session.get()).to.equal(null)
          expect(backEnd.requests).to.deep.equal(['GET /wafer2/login'])
        })
      }

      it('is reported as failed without a login URL, and nobody is asked', async () => {
        sdk = loadOldClient('wafer2-client-sdk')
        expect((await failToEnter(entry)).message).to.match(/^登录错误：缺少登录地址/)
        expect(backEnd.sandbox.callCount(WX_LOGIN)).to.equal(0)
      })
    })
  }

  /** The SDK quotes the whole answer. */
  function answerIn(message: string): unknown {
    return JSON.parse(message.replace(/^响应错误，/, ''))
  }
})
