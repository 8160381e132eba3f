import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Phone, RequestOptions } from '../../sandbox/index.js'
import { type ExampleBed, openExampleBed } from '../support/example-bed.js'

const KEY = '3rd_session'

interface Me {
  userInfo: Record<string, unknown> | null
  user: { id: number; nick_name: string | null; avatar_url: string | null; logins: number }
}

/** The mini-program of the article. */
class MiniProgram {
  readonly phone: Phone
  readonly url: string
  logins = 0

  constructor(phone: Phone, url: string) {
    this.phone = phone
    this.url = url
  }

  /** wx.checkSession; on failure, or with nothing stored, wx.login, POST /login and wx.setStorage. */
  async start(): Promise<void> {
    const { wx } = this.phone
    const isCurrent = await wx.checkSession().then(
      () => wx.getStorageSync(KEY) !== '',
      () => false,
    )
    if (!isCurrent) await this.logIn()
  }

  async logIn(): Promise<void> {
    const { wx } = this.phone
    const { code } = await wx.login()
    const res = await wx.request<{ token: string }>({
      url: `${this.url}/login`,
      method: 'POST',
      data: { code },
    })
    expect(res.statusCode).to.equal(200)
    await wx.setStorage({ key: KEY, data: res.data.token })
    this.logins += 1
  }

  /** A request that carries the 3rd_session. */
  async request<Data>(path: string, options: Partial<RequestOptions> = {}) {
    const token = this.phone.wx.getStorageSync<string>(KEY)
    const { data, statusCode } = await this.phone.wx.request<Data>({
      ...options,
      url: this.url + path,
      header: { 'x-3rd-session': token },
    })
    return { data, statusCode }
  }

  async me(): Promise<Me> {
    const { data, statusCode } = await this.request<Me>('/me')
    expect(statusCode).to.equal(200)
    return data
  }

  sendUserInfo(data: object) {
    return this.request<{ userInfo: object; code?: string }>('/session/user-info', { method: 'PUT', data })
  }
}

describe('P3 3rd_session, the sequence of the article on the example app', () => {
  let bed: ExampleBed
  let page: MiniProgram
  let keys: string[]

  beforeEach(async () => {
    bed = await openExampleBed({ sessionDurationSeconds: 3600 })
    page = new MiniProgram(bed.phone, bed.url)
    keys = []
    await page.start()
    keys.push(bed.sandbox.sessionKeyOf(bed.phone))
  })
  afterEach(() => {
    keys.push(bed.sandbox.sessionKeyOf(bed.phone))
    return bed.closeClean(bed.phone.openid, bed.phone.unionid ?? '-', ...keys, 'session_key"')
  })

  it('P3 3rd_session logs in after a failed checkSession, and stores a long random text', async () => {
    const token = bed.phone.wx.getStorageSync<string>(KEY)
    expect(token).to.match(/^[A-Za-z0-9_-]{64}$/)
    expect(page.logins).to.equal(1)
    const { user, userInfo } = await page.me()
    expect(user).to.deep.equal({ id: user.id, nick_name: null, avatar_url: null, logins: 1 })
    expect(userInfo).to.equal(null)
    expect(bed.users.of({ ...bed.phone, userInfo: null })).to.deep.equal(user)
  })

  it('P3 3rd_session logs in no second time while checkSession succeeds', async () => {
    await page.start()
    expect(page.logins).to.equal(1)
  })

  it('P3 3rd_session logs in again once WeChat has replaced the session_key', async () => {
    const first = bed.phone.wx.getStorageSync<string>(KEY)
    bed.sandbox.rotateSessionKey(bed.phone)
    await page.start()
    expect(page.logins).to.equal(2)
    expect(bed.phone.wx.getStorageSync<string>(KEY)).not.to.equal(first)
    expect((await page.me()).user.logins).to.equal(2)
  })

  it('P3 3rd_session ends by the lifetime of the server, with a 401, and a new login opens another', async () => {
    bed.clock.advance(3_600_000 - 1)
    await page.me()
    bed.clock.advance(3_600_000)
    const { statusCode, data } = await page.request<{ code: string }>('/me')
    expect({ statusCode, code: data.code }).to.deep.equal({ statusCode: 401, code: 'ERR_SESSION_UNKNOWN' })
    await page.logIn()
    expect((await page.me()).user.logins).to.equal(2)
  })

  it('P3 3rd_session verifies and decrypts what getUserInfo gives, and updates the SQL row', async () => {
    const { rawData, signature, encryptedData, iv, userInfo } = await bed.phone.wx.getUserInfo()
    const sent = await page.sendUserInfo({ rawData, signature, encryptedData, iv })
    expect(sent).to.deep.equal({ statusCode: 200, data: { userInfo: { ...userInfo, verified: true } } })
    const { user, userInfo: kept } = await page.me()
    expect(kept).to.deep.equal({ ...userInfo, verified: true })
    expect(user).to.include({ nick_name: userInfo.nickName, avatar_url: userInfo.avatarUrl, logins: 1 })
    expect(bed.users.of({ ...bed.phone, userInfo: null })).to.deep.equal(user)
  })

  it('P3 3rd_session takes signed and encrypted data each for itself', async () => {
    const { rawData, signature, encryptedData, iv } = await bed.phone.wx.getUserInfo()
    for (const data of [
      { rawData, signature },
      { encryptedData, iv },
    ]) {
      expect((await page.sendUserInfo(data)).statusCode).to.equal(200)
    }
  })

  it('P3 3rd_session refuses a wrong signature and tampered data, and changes nothing by it', async () => {
    const good = await bed.phone.wx.getUserInfo()
    const { rawData, signature, encryptedData, iv } = good
    const forged = rawData.replace(bed.phone.user, 'Eve')
    const fromElsewhere = {
      rawData,
      signature,
      encryptedData: iv,
      iv: encryptedData?.slice(0, 22).concat('=='),
    }
    const others = [
      { rawData: forged, signature },
      { rawData: forged, signature, encryptedData, iv },
      fromElsewhere,
    ]
    for (const data of others) {
      const answer = await page.sendUserInfo(data)
      expect(answer.statusCode, JSON.stringify(answer.data)).to.equal(409)
      expect(answer.data.code).to.equal('ERR_SESSION_KEY_STALE')
    }
    const { user, userInfo } = await page.me()
    expect(userInfo).to.equal(null)
    expect(user.nick_name).to.equal(null)
  })

  it('P3 3rd_session takes the plain six fields as userInfo that nobody vouches for', async () => {
    const { userInfo } = await bed.phone.wx.getUserInfo({ withCredentials: false })
    const { nickName, avatarUrl, gender, province, city, country } = userInfo
    const plain = { nickName, avatarUrl, gender, province, city, country }
    const sent = await page.sendUserInfo({ userInfo: plain })
    expect(sent).to.deep.equal({ statusCode: 200, data: { userInfo: { ...plain, verified: false } } })
    const { user } = await page.me()
    expect(user).to.include({ nick_name: nickName, avatar_url: avatarUrl })
  })

  it('P3 3rd_session updates the SQL row at a login that brings the data along, too', async () => {
    const { wx } = bed.phone
    const { code } = await wx.login()
    keys.push(bed.sandbox.sessionKeyOf(bed.phone))
    const { rawData, signature, encryptedData, iv, userInfo } = await wx.getUserInfo()
    const data = { code, rawData, signature, encryptedData, iv }
    const res = await wx.request<{ token: string }>({ url: `${bed.url}/login`, method: 'POST', data })
    await wx.setStorage({ key: KEY, data: res.data.token })
    expect((await page.me()).user).to.include({ nick_name: userInfo.nickName, logins: 2 })
  })

  it('P3 3rd_session is read from no query string, and asked for on every request', async () => {
    const token = bed.phone.wx.getStorageSync<string>(KEY)
    const url = `${bed.url}/me?3rd_session=${token}&x-3rd-session=${token}`
    expect((await bed.phone.wx.request({ url })).statusCode).to.equal(401)
  })
})
