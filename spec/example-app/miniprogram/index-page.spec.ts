import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { type MiniProgramBed, openMiniProgramBed } from './mini-program-bed.js'

const ROUTE = 'pages/index/index'
const DAY_MS = 86_400_000

describe('the first page of the mini-program', () => {
  let bed: MiniProgramBed

  beforeEach(async () => {
    bed = await openMiniProgramBed()
  })
  afterEach(() => bed.close())

  async function openLoggedIn() {
    const page = await bed.miniProgram.open(ROUTE)
    await page.fire('tap', 'logIn')
    expect(page.data).to.include({ isLoggedIn: true, failure: '' })
    return page
  }

  it('does not log in at launch', async () => {
    const page = await bed.miniProgram.open(ROUTE)
    expect(page.data).to.include({ isLoggedIn: false, isBusy: false, failure: '' })
    expect(bed.seen).to.deep.equal([])
  })

  it('logs in at a tap, and shows who the user is', async () => {
    const page = await openLoggedIn()
    expect(page.data).to.include({ isBusy: false, nickName: '', avatarUrl: '', logins: 1 })
  })

  it('logs in once, however often the button is tapped', async () => {
    const page = await bed.miniProgram.open(ROUTE)
    await Promise.all([page.fire('tap', 'logIn'), page.fire('tap', 'logIn')])
    expect(page.data).to.include({ isLoggedIn: true, logins: 1 })
    expect(bed.seen, 'the login and /me').to.have.lengthOf(2)
  })

  it('knows the user at the next launch, without another login', async () => {
    await openLoggedIn()
    const page = await bed.restart().open(ROUTE)
    expect(page.data).to.include({ isLoggedIn: true, logins: 1 })
  })

  it('shows the avatar and the nickname of the profile, as soon as it is looked at again', async () => {
    const page = await openLoggedIn()
    const userInfo = { nickName: '小明', avatarUrl: 'https://a.example/1.png' }
    await bed.ask('/session/user-info', { method: 'PUT', data: { userInfo } })
    await page.live('onShow')
    expect(page.data).to.include(userInfo)
  })

  it('logs in again by itself when the session has run out', async () => {
    const page = await openLoggedIn()
    bed.clock.advance(31 * DAY_MS)
    await page.live('onShow')
    expect(page.data).to.include({ isLoggedIn: true, logins: 2, failure: '' })
  })

  it('logs out, here and on the server, and stays so', async () => {
    const page = await openLoggedIn()
    const token = bed.phone.wx.getStorageSync<string>(`weapp-session:${bed.url}`)
    await page.fire('tap', 'logOut')
    await page.live('onShow')
    expect(page.data).to.include({ isLoggedIn: false, logins: 0, failure: '' })
    const { statusCode } = await bed.ask('/session', { header: { 'x-3rd-session': token } })
    expect(statusCode).to.equal(401)
  })

  it('says that the network is away, and keeps the session', async () => {
    const page = await openLoggedIn()
    bed.phone.offline = true
    await page.live('onPullDownRefresh')
    expect(page.data).to.include({ isLoggedIn: true, failure: '网络不通，请检查网络后再试' })
    await page.fire('tap', 'logOut')
    expect(page.data).to.include({ isLoggedIn: true, failure: '网络不通，请检查网络后再试' })
    bed.phone.offline = false
    await page.live('onPullDownRefresh')
    expect(page.data).to.include({ isLoggedIn: true, logins: 1, failure: '' })
    expect(bed.miniProgram.refreshesEnded).to.equal(2)
  })

  it('says that wx.login has failed', async () => {
    const page = await bed.miniProgram.open(ROUTE)
    bed.phone.offline = true
    await page.fire('tap', 'logIn')
    expect(page.data).to.include({ isLoggedIn: false, failure: '微信登录没有成功，请稍后再试' })
  })

  for (const [errcode, words] of [
    [40226, '微信判定账号有风险，暂时不能登录'],
    [45011, '操作太频繁，请 60 秒后再试'],
    [45009, '服务器正忙，请 60 分钟后再试'],
    [40125, '服务器出了问题，请稍后再试'],
  ] as const) {
    it(`says what errcode ${errcode} of WeChat means for the user`, async () => {
      const page = await bed.miniProgram.open(ROUTE)
      bed.sandbox.misbehave({ errcode })
      await page.fire('tap', 'logIn')
      expect(page.data).to.include({ isLoggedIn: false, isBusy: false, failure: words })
    })
  }

  it('offers the login again when the session has run out and WeChat blocks the user', async () => {
    const page = await openLoggedIn()
    bed.clock.advance(31 * DAY_MS)
    bed.sandbox.misbehave({ errcode: 40226 })
    await page.live('onShow')
    expect(page.data).to.include({ isLoggedIn: false, failure: '微信判定账号有风险，暂时不能登录' })
  })
})
