import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { loginRouter, wxappProtocol } from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { type ExampleBed, openExampleBed } from '../support/example-bed.js'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

interface Answer {
  ok: string
  msg: string
  data: { uuid: string; skey: string; user_info: Record<string, unknown>; duration: number }
}

/** The mini-program of wxapp's README: what its pages do, in its own words. */
class MiniProgram {
  readonly phone: Phone
  readonly mina: string
  readonly answers: Answer[] = []

  constructor(phone: Phone, mina: string) {
    this.phone = phone
    this.mina = mina
  }

  /** wx.login, wx.getUserInfo, wx.request to /mina/login; on success skey and uuid are stored. */
  login(extra: object = { app_id: 1 }, path = '/login'): Promise<Answer> {
    const { wx } = this.phone
    return new Promise((resolve, reject) => {
      wx.login({
        success: ({ code }) =>
          wx.getUserInfo({
            success: (user) =>
              wx.request<Answer>({
                url: this.mina + path,
                method: 'POST',
                data: { code, encrypt_data: user.encryptedData, iv: user.iv, ...extra },
                success: (res) => {
                  if (res.data.ok === 'success') {
                    wx.setStorageSync('skey', res.data.data.skey)
                    wx.setStorageSync('uuid', res.data.data.uuid)
                  }
                  this.answers.push(res.data)
                  resolve(res.data)
                },
                fail: reject,
              }),
            fail: reject,
          }),
        fail: reject,
      })
    })
  }

  /** What the page sends to the business server: the two texts from the storage. */
  async buy(business: string): Promise<{ bought: boolean; nickName?: string }> {
    const { wx } = this.phone
    const [uuid, skey] = ['uuid', 'skey'].map((key) => wx.getStorageSync(key))
    const ask = { url: `${business}/buy`, method: 'POST', data: { uuid, skey } }
    const { data } = await wx.request<{ bought: boolean; nickName?: string }>(ask)
    return data
  }

  /** The page's whole way: buy, and on failure log in and buy again. */
  async buyOrLogIn(business: string) {
    const answer = await this.buy(business)
    if (answer.bought) return answer
    await this.login()
    return this.buy(business)
  }
}

/** A service of the business, which keeps no sessions: it asks /mina/auth on every operation. */
function businessServer(mina: string, app_id: unknown = 1) {
  const app = express()
  app.post('/buy', express.json(), async (req, res) => {
    const body = JSON.stringify({ uuid: req.body.uuid, skey: req.body.skey, app_id })
    const answer = (await (await fetch(`${mina}/auth`, { method: 'POST', body })).json()) as Answer
    const bought = answer.ok === 'success'
    res.json({ bought, ...(bought && { nickName: answer.data.user_info.nickName }) })
  })
  return app
}

describe('P1 wxapp, the client of its README on the example app', () => {
  let bed: ExampleBed
  let mina: string
  let business: string
  let page: MiniProgram

  beforeEach(async () => {
    bed = await openExampleBed({ loginDurationDays: 2, sessionDurationSeconds: 86_400 })
    mina = `${bed.url}/mina`
    business = await bed.serve(businessServer(mina))
    page = new MiniProgram(bed.phone, mina)
  })
  afterEach(() => bed.closeClean(bed.sandbox.sessionKeyOf(bed.phone)))

  const auth = async (session: object) => {
    const post = { method: 'POST', body: JSON.stringify({ app_id: 1, ...session }) }
    return (await (await fetch(`${mina}/auth`, post)).json()) as Answer
  }

  it('P1 wxapp logs in with encrypted data, and a business server sees who it is', async () => {
    const { userInfo } = await bed.phone.wx.getUserInfo({ withCredentials: false })
    const { ok, msg, data } = await page.login()
    expect({ ok, msg }).to.deep.equal({ ok: 'success', msg: '新增session成功' })
    expect(data.user_info).to.deep.include({ ...userInfo, openId: bed.phone.openid })
    expect(data.duration).to.equal(86_400)
    expect(await page.buy(business)).to.deep.equal({ bought: true, nickName: userInfo.nickName })
  })

  it('P1 wxapp logs in without encrypted data, and loses no profile by it', async () => {
    const none = { encrypt_data: undefined, iv: undefined }
    const stranger = await page.login(none)
    expect(stranger.data.user_info).to.have.all.keys('openId', 'unionId', 'watermark')
    const named = await page.login()
    const again = await page.login(none)
    expect(again.msg).to.equal('更新session成功')
    expect(again.data.user_info).to.deep.equal(named.data.user_info)
    expect((await page.buy(business)).nickName).to.equal(bed.phone.user)
  })

  it('P1 wxapp takes both paths with a trailing slash too, and no app_id for 1', async () => {
    const { data } = await page.login({}, '/login/')
    const post = { method: 'POST', body: JSON.stringify({ ...data, app_id: 1 }) }
    expect(await (await fetch(`${mina}/auth/`, post)).json()).to.include({ ok: 'success', msg: '验证成功' })
  })

  it('P1 wxapp logs in when the first check fails, and only then', async () => {
    expect(await page.buyOrLogIn(business)).to.include({ bought: true })
    expect(await page.buyOrLogIn(business)).to.include({ bought: true })
    expect(page.answers.map(({ msg }) => msg)).to.deep.equal(['新增session成功'])
    await bed.sessions.revokeAll()
    expect(await page.buyOrLogIn(business)).to.include({ bought: true })
    expect(page.answers.map(({ msg }) => msg)).to.deep.equal(['新增session成功', '更新session成功'])
  })

  it('P1 wxapp keeps uuid over logins, and every earlier session of the user with it', async () => {
    const [phone, tablet] = [(await page.login()).data, (await page.login()).data]
    expect(tablet.uuid).to.equal(phone.uuid)
    expect(tablet.skey).not.to.equal(phone.skey)
    for (const session of [phone, tablet]) expect((await auth(session)).ok).to.equal('success')
  })

  it('P1 wxapp keeps one session a user where the mount says so', async () => {
    const protocol = wxappProtocol()
    const router = loginRouter({ sessions: bed.sessions, protocol, maxSessionsPerUser: 1 })
    const single = await bed.serve(express().use('/mina', router))
    const onePhone = new MiniProgram(bed.phone, `${single}/mina`)
    const [older, newer] = [(await onePhone.login()).data, (await onePhone.login()).data]
    expect((await auth(older)).msg).to.equal('验证失败')
    expect((await auth(newer)).msg).to.equal('验证成功')
  })

  it('P1 wxapp ends a session that nobody visits after the session duration, to the millisecond', async () => {
    const { data } = await page.login()
    bed.clock.advance(DAY_MS - 1)
    expect(await auth(data)).to.include({ ok: 'success' })
    bed.clock.advance(DAY_MS - 1)
    expect(await auth(data)).to.include({ ok: 'success' })
    const { data: unvisited } = await page.login()
    bed.clock.advance(DAY_MS)
    expect(await auth(unvisited)).to.deep.equal({ ok: 'fail', msg: '验证失败', data: {} })
    expect(await page.buyOrLogIn(business)).to.include({ bought: true })
  })

  it('P1 wxapp ends a visited session after the login duration, to the millisecond', async () => {
    const { data } = await page.login()
    for (let hour = 1; hour < 48; hour++) {
      bed.clock.advance(HOUR_MS)
      expect((await auth(data)).ok).to.equal('success')
    }
    bed.clock.advance(HOUR_MS - 1)
    expect((await auth(data)).ok).to.equal('success')
    bed.clock.advance(1)
    expect(await auth(data)).to.deep.equal({ ok: 'fail', msg: '验证失败', data: {} })
  })

  it('P1 wxapp writes its users to SQL, as every other protocol', async () => {
    const { data } = await page.login()
    await page.login({ app_id: 1, encrypt_data: undefined, iv: undefined })
    const me = await fetch(`${bed.url}/me`, { headers: { 'x-3rd-session': data.skey } })
    const { user } = (await me.json()) as { user: object }
    expect(user).to.include({ nick_name: bed.phone.user, logins: 2 })
  })
})

describe('P1 wxapp, with several apps', () => {
  let bed: ExampleBed
  let mina: string

  beforeEach(async () => {
    bed = await openExampleBed({ sessionDurationSeconds: 3600 }, { sessionDurationSeconds: 86_400 })
    mina = `${bed.url}/mina`
  })
  afterEach(() => bed.closeClean())

  const post = async (path: string, body: object) =>
    (await (await fetch(mina + path, { method: 'POST', body: JSON.stringify(body) })).json()) as Answer
  const pageOf = (appIndex: number, user: string) =>
    new MiniProgram(bed.sandbox.phone({ user, appid: bed.sandbox.apps[appIndex]?.appid ?? '' }), mina)

  it('P1 wxapp tells its apps apart by app_id, 1 unless it is said, as a number or a text', async () => {
    const first = await pageOf(0, 'ada').login({})
    for (const app_id of [2, '2', ' 2 ']) {
      const second = await pageOf(1, 'ada').login({ app_id })
      expect(second.data.duration).to.equal(86_400)
      expect(second.data.uuid).not.to.equal(first.data.uuid)
      expect(await post('/auth', { ...second.data, app_id })).to.include({ ok: 'success' })
    }
    expect(first.data.duration).to.equal(3600)
  })

  it('P1 wxapp accepts no session of one app for another, and extends none by the try', async () => {
    const { data } = await pageOf(0, 'ada').login()
    bed.clock.advance(HOUR_MS - 1)
    for (const app_id of [2, '2']) {
      expect(await post('/auth', { ...data, app_id })).to.deep.equal({
        ok: 'fail',
        msg: '验证失败',
        data: {},
      })
    }
    bed.clock.advance(1)
    for (const app_id of [1, 2]) expect((await post('/auth', { ...data, app_id })).msg).to.equal('验证失败')
  })

  it('P1 wxapp answers 获取app相关参数出错 for an app that it does not have', async () => {
    const { data } = await pageOf(0, 'ada').login()
    const failure = { ok: 'fail', msg: '获取app相关参数出错', data: {} }
    expect(await post('/auth', { ...data, app_id: 3 })).to.deep.equal(failure)
    expect(await pageOf(0, 'ada').login({ app_id: 3 })).to.deep.equal(failure)
  })

  it('P1 wxapp refuses the code of one app for another', async () => {
    const { code } = await pageOf(1, 'ada').phone.wx.login()
    expect(await post('/login', { code, app_id: 1 })).to.include({ ok: 'fail', msg: 'code 无效或已被使用' })
  })
})
