import { hash } from 'node:crypto'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createSandbox } from '../../sandbox/index.js'
import { aSandbox, logInAndExchange, StoppedClock } from './a-sandbox.js'
import { opened } from './opened.js'

const clock = new StoppedClock()
const errMsgOf = (promise: Promise<{ errMsg: string }>): Promise<string> =>
  promise.then(
    (result) => result.errMsg,
    (failure: { errMsg: string }) => failure.errMsg,
  )

describe('wx.login', () => {
  const sandbox = aSandbox()

  it('returns a code', async () => {
    const result = await sandbox().phone().wx.login()
    expect(result).to.have.all.keys('code', 'errMsg')
    expect(result.errMsg).to.equal('login:ok')
  })

  it('fails while the phone is offline, and works again afterwards', async () => {
    const phone = sandbox().phone()
    phone.offline = true
    expect(await errMsgOf(phone.wx.login())).to.equal('login:fail the phone is offline')
    phone.offline = false
    expect(await errMsgOf(phone.wx.login())).to.equal('login:ok')
  })

  it('fails when WeChat responds with a page', async () => {
    sandbox().misbehave('html502', { path: '/sandbox/login' })
    const errMsg = await errMsgOf(sandbox().phone().wx.login())
    expect(errMsg).to.equal('login:fail WeChat sent HTTP 502 and no data')
  })

  it('fails when WeChat responds with half of its JSON', async () => {
    sandbox().misbehave('badJson', { path: '/sandbox/login' })
    const errMsg = await errMsgOf(sandbox().phone().wx.login())
    expect(errMsg).to.equal('login:fail WeChat sent HTTP 200 and no data')
  })

  it('fails when WeChat does not respond in time', async () => {
    sandbox().misbehave('hang', { path: '/sandbox/login' })
    expect(await errMsgOf(sandbox().phone().wx.login({ timeout: 5 }))).to.equal('login:fail timeout')
  })
})

describe('wx.checkSession', () => {
  const sandbox = aSandbox()

  it('fails before the first login', async () => {
    const errMsg = await errMsgOf(sandbox().phone().wx.checkSession())
    expect(errMsg).to.equal('checkSession:fail session time out')
  })

  it('succeeds after a login, even if the code never reached a server', async () => {
    const { wx } = sandbox().phone()
    await wx.login()
    expect(await errMsgOf(wx.checkSession())).to.equal('checkSession:ok')
  })

  it('fails once WeChat has rotated the session_key', async () => {
    const phone = sandbox().phone()
    await phone.wx.login()
    sandbox().rotateSessionKey(phone)
    expect(await errMsgOf(phone.wx.checkSession())).to.equal('checkSession:fail session time out')
  })

  it('fails once another phone of the user has logged in', async () => {
    const phone = sandbox().phone()
    const tablet = sandbox().phone({ user: phone.user })
    await phone.wx.login()
    await tablet.wx.login()
    expect(await errMsgOf(phone.wx.checkSession())).to.equal('checkSession:fail session time out')
    expect(await errMsgOf(tablet.wx.checkSession())).to.equal('checkSession:ok')
  })
})

describe('wx.getUserInfo', () => {
  const sandbox = aSandbox({ clock: clock.read })

  it('returns data signed and encrypted under the session_key', async () => {
    const phone = sandbox().phone()
    const { session_key } = await logInAndExchange(sandbox(), phone)
    const result = await phone.wx.getUserInfo({ withCredentials: true })
    expect(result).to.have.all.keys('userInfo', 'rawData', 'signature', 'encryptedData', 'iv', 'errMsg')
    expect(result.errMsg).to.equal('getUserInfo:ok')
    expect(result.rawData).to.equal(JSON.stringify(result.userInfo))
    expect(result.signature).to.equal(hash('sha1', `${result.rawData}${session_key}`))
    expect(opened(result, session_key)).to.deep.equal({
      openId: phone.openid,
      ...result.userInfo,
      unionId: phone.unionid,
      watermark: { timestamp: clock.now / 1000, appid: phone.appid },
    })
  })

  it('returns a whole profile, with text beyond ASCII', async () => {
    const phone = sandbox().phone({ profile: { nickName: '阿明😀' } })
    await phone.wx.login()
    const { userInfo } = await phone.wx.getUserInfo()
    expect(userInfo).to.include({ nickName: '阿明😀', gender: 1, language: 'zh_CN', country: '中国' })
    expect(userInfo).to.have.all.keys(
      'nickName',
      'gender',
      'language',
      'city',
      'province',
      'country',
      'avatarUrl',
    )
  })

  it('encrypts under the key that is valid at that moment', async () => {
    const phone = sandbox().phone()
    await logInAndExchange(sandbox(), phone)
    sandbox().rotateSessionKey(phone)
    const result = await phone.wx.getUserInfo()
    expect(opened(result, sandbox().sessionKeyOf(phone))).to.have.property('openId', phone.openid)
  })

  it('returns no secrets without credentials, and needs no login for that', async () => {
    const result = await sandbox().phone().wx.getUserInfo({ withCredentials: false })
    expect(result).to.have.all.keys('userInfo', 'rawData', 'errMsg')
  })

  it('needs a login for credentials', async () => {
    const errMsg = await errMsgOf(sandbox().phone().wx.getUserInfo())
    expect(errMsg).to.equal('getUserInfo:fail withCredentials needs an earlier wx.login')
  })

  it('leaves unionId out where the sandbox gives none', async () => {
    const unbound = await createSandbox({ unionid: false })
    try {
      const phone = unbound.phone()
      await phone.wx.login()
      const data = opened(await phone.wx.getUserInfo(), unbound.sessionKeyOf(phone))
      expect(data).to.have.property('openId')
      expect(data).not.to.have.property('unionId')
    } finally {
      await unbound.close()
    }
  })
})

describe('wx.getUserProfile', () => {
  const sandbox = aSandbox({ clock: clock.read })

  it('returns data that does not name the user', async () => {
    const phone = sandbox().phone()
    const { session_key } = await logInAndExchange(sandbox(), phone)
    const result = await phone.wx.getUserProfile({ desc: 'to greet you' })
    expect(result.signature).to.equal(hash('sha1', `${result.rawData}${session_key}`))
    expect(opened(result, session_key)).to.deep.equal({
      ...result.userInfo,
      watermark: { timestamp: clock.now / 1000, appid: phone.appid },
    })
  })

  it('needs a description', async () => {
    const { wx } = sandbox().phone()
    expect(await errMsgOf(wx.getUserProfile({ desc: '' }))).to.match(/^getUserProfile:fail desc must have/)
    expect(await errMsgOf(wx.getUserProfile())).to.match(/^getUserProfile:fail desc must have/)
  })
})
