import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { ErrorCode } from '../../lib/index.js'
import type { Misbehaviour } from '../../sandbox/index.js'
import { expectProblem } from '../support/problem.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

const DAY_MS = 86_400_000

describe('POST /login', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed({ wechat: { timeoutMs: 1500 } })
  })
  afterEach(async () => {
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  it('answers a token, both ends as ISO 8601 UTC and the userInfo, and nothing else', async () => {
    const { code } = await bed.phone.wx.login()
    const res = await bed.http.post('/login').send({ code }).expect(200)
    expect(res.headers['cache-control']).to.equal('no-store')
    expect(res.headers['content-type']).to.equal('application/json; charset=utf-8')
    expect(res.body).to.have.all.keys('token', 'expiresAt', 'idleExpiresAt', 'userInfo')
    expect(res.body.token).to.match(/^[A-Za-z0-9_-]{64}$/)
    expect(res.body.expiresAt).to.equal(new Date(bed.clock() + 30 * DAY_MS).toISOString())
    expect(res.body.idleExpiresAt).to.equal(new Date(bed.clock() + 7 * DAY_MS).toISOString())
    expect(res.body.userInfo).to.equal(null)
  })

  it('gives the phone neither openid nor unionid nor session_key', async () => {
    const { code } = await bed.phone.wx.login()
    const { encryptedData, iv, userInfo } = await bed.phone.wx.getUserInfo({ withCredentials: true })
    const res = await bed.http.post('/login').send({ code, encryptedData, iv }).expect(200)
    expect(res.body.userInfo).to.deep.equal({ ...userInfo, verified: true })
    const secrets = [bed.phone.openid, bed.phone.unionid, bed.sandbox.sessionKeyOf(bed.phone)]
    for (const secret of secrets) expect(res.text).not.to.contain(secret)
  })

  it('keeps the profile through logout and a login without one', async () => {
    const { code } = await bed.phone.wx.login()
    const { rawData, signature } = await bed.phone.wx.getUserProfile({ desc: 'to greet you' })
    const first = await bed.http.post('/login').send({ code, rawData, signature }).expect(200)
    await bed.http.post('/logout').set('x-3rd-session', first.body.token).expect(204)
    const again = await bed.http.post('/login').send({ code: (await bed.phone.wx.login()).code })
    expect(again.body.userInfo).to.deep.equal(first.body.userInfo)
    expect(again.body.userInfo.verified).to.equal(true)
  })

  it('keeps a profile that nobody signed as not verified, whatever it says of itself', async () => {
    const { code } = await bed.phone.wx.login()
    const userInfo = { nickName: 'Ada', avatarUrl: 'https://example.com/a.png', verified: true, openId: 'x' }
    const res = await bed.http.post('/login').send({ code, userInfo }).expect(200)
    expect(res.body.userInfo).to.deep.equal({
      nickName: 'Ada',
      avatarUrl: 'https://example.com/a.png',
      verified: false,
    })
  })

  it('answers ERR_SESSION_KEY_STALE for data of somebody else', async () => {
    const other = bed.sandbox.phone()
    await other.wx.login()
    const { encryptedData, iv } = await other.wx.getUserInfo({ withCredentials: true })
    const { code } = await bed.phone.wx.login()
    expectProblem(
      await bed.http.post('/login').send({ code, encryptedData, iv }),
      409,
      'ERR_SESSION_KEY_STALE',
    )
  })

  it('ends the session whose token is presented, and no other', async () => {
    const [old, other] = [await bed.logIn(), await bed.logIn()]
    const { code } = await bed.phone.wx.login()
    const res = await bed.http.post('/login').set('x-3rd-session', old).send({ code }).expect(200)
    expectProblem(await bed.me(old), 401, 'ERR_SESSION_UNKNOWN')
    await bed.me(other).expect(200)
    await bed.me(res.body.token).expect(200)
  })

  it('ends the presented session of another user too', async () => {
    const others = await bed.logIn(bed.sandbox.phone())
    const { code } = await bed.phone.wx.login()
    await bed.http.post('/login').set('authorization', `Bearer ${others}`).send({ code }).expect(200)
    expectProblem(await bed.me(others), 401, 'ERR_SESSION_UNKNOWN')
  })

  it('takes no notice of a presented token that is damaged', async () => {
    const { code } = await bed.phone.wx.login()
    await bed.http.post('/login').set('x-3rd-session', 'damaged').send({ code }).expect(200)
  })

  it('reads the body as JSON whatever content type it claims', async () => {
    const { code } = await bed.phone.wx.login()
    const form = bed.http.post('/login').set('content-type', 'application/x-www-form-urlencoded')
    await form.send(JSON.stringify({ code })).expect(200)
  })

  it('sends the code to WeChat as it is, however it is written', async () => {
    const code = 'a+b/c=&appid=wxother&js_code=%41'
    expectProblem(await bed.http.post('/login').send({ code }), 401, 'ERR_CODE_INVALID')
    expect(bed.sandbox.calls(EXCHANGE).map((call) => call.query)).to.deep.equal([
      {
        appid: bed.sandbox.app.appid,
        secret: bed.sandbox.app.secret,
        js_code: code,
        grant_type: 'authorization_code',
      },
    ])
  })

  const wechatFailures: [Misbehaviour, number, ErrorCode][] = [
    [{ errcode: 40029 }, 401, 'ERR_CODE_INVALID'],
    [{ errcode: 40163 }, 401, 'ERR_CODE_INVALID'],
    [{ errcode: 40226 }, 403, 'ERR_USER_BLOCKED'],
    [{ errcode: 45011 }, 429, 'ERR_WECHAT_RATE_LIMITED'],
    [{ errcode: 45009 }, 503, 'ERR_WECHAT_QUOTA'],
    [{ errcode: -1 }, 503, 'ERR_WECHAT_BUSY'],
    [{ errcode: 40013 }, 500, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 40125 }, 500, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 40164 }, 500, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 50002 }, 500, 'ERR_SERVER_MISCONFIGURED'],
    [{ errcode: 99999 }, 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['html', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['html502', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['http500', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['redirect', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['empty', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['truncated', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['badJson', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['missingOpenid', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['missingSessionKey', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['wrongTypes', 502, 'ERR_WECHAT_ANSWER_INVALID'],
    ['hang', 503, 'ERR_WECHAT_NO_ANSWER'],
    ['drop', 503, 'ERR_WECHAT_NO_ANSWER'],
  ]
  for (const [misbehaviour, status, errorCode] of wechatFailures) {
    it(`answers ${status} ${errorCode} when WeChat does this: ${JSON.stringify(misbehaviour)}`, async () => {
      const { code } = await bed.phone.wx.login()
      bed.sandbox.misbehave(misbehaviour)
      expectProblem(await bed.http.post('/login').send({ code }), status, errorCode)
    })
  }

  it('tells the operator alone what the operator has to mend', async () => {
    const { code } = await bed.phone.wx.login()
    const errmsg =
      'invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist, rid: 0123abcd-4567cdef-89abcdef'
    bed.sandbox.misbehave({ errcode: 40164, errmsg })
    const res = await bed.http.post('/login').send({ code })
    expect(res.text).not.to.match(/40164|whitelist|203\.0|rid/)
    expect(bed.log).to.have.lengthOf(1)
    expect(bed.log[0])
      .to.contain('40164')
      .and.contain('203.0.113.7')
      .and.contain('0123abcd-4567cdef-89abcdef')
  })

  it('lets the same code through once WeChat is no longer busy', async () => {
    const { code } = await bed.phone.wx.login()
    const restore = bed.sandbox.misbehave({ errcode: -1 })
    expectProblem(await bed.http.post('/login').send({ code }), 503, 'ERR_WECHAT_BUSY')
    restore()
    await bed.http.post('/login').send({ code }).expect(200)
  })

  it('lets the same code through once WeChat can be reached again', async () => {
    const { code } = await bed.phone.wx.login()
    await bed.sandbox.takeDown()
    expectProblem(await bed.http.post('/login').send({ code }), 503, 'ERR_WECHAT_UNREACHABLE')
    await bed.sandbox.bringUp()
    await bed.http.post('/login').send({ code }).expect(200)
  })

  it('never sends a code again that WeChat may have seen', async () => {
    const { code } = await bed.phone.wx.login()
    bed.sandbox.misbehave('drop', { times: 1 })
    expectProblem(await bed.http.post('/login').send({ code }), 503, 'ERR_WECHAT_NO_ANSWER')
    expectProblem(await bed.http.post('/login').send({ code }), 401, 'ERR_CODE_INVALID')
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
  })

  it('names the mock code of WeChat DevTools', async () => {
    const res = await bed.http.post('/login').send({ code: 'the code is a mock one' })
    expectProblem(res, 400, 'ERR_CODE_MOCK')
    expect(res.text).to.contain('AppID')
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
  })
})

describe('POST /login with several apps', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed({ apps: 2 })
  })
  afterEach(() => bed.close())

  it('logs in at the app that appid names', async () => {
    const [, second] = bed.sandbox.apps
    const phone = bed.sandbox.phone({ appid: second?.appid ?? '' })
    const res = await bed.me(await bed.logIn(phone)).expect(200)
    expect(res.body.openid).to.equal(phone.openid)
    expect(res.body.weapp.appid).to.equal(second?.appid)
  })

  it('refuses a login that names no app, or one that is not known', async () => {
    const { code } = await bed.phone.wx.login()
    expectProblem(await bed.http.post('/login').send({ code }), 400, 'ERR_APP_UNKNOWN')
    expectProblem(await bed.http.post('/login').send({ code, appid: 'wx0' }), 400, 'ERR_APP_UNKNOWN')
    expectProblem(await bed.http.post('/login').send({ code, appid: '__proto__' }), 400, 'ERR_APP_UNKNOWN')
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
  })
})
