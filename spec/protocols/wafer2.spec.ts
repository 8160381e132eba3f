import { expect } from 'chai'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Response } from 'supertest'
import { loginRouter, requireSession, wafer2Protocol } from '../../lib/index.js'
import type { Misbehaviour } from '../../sandbox/index.js'
import { headerText, jsonIn, openWireBed, tampered, type WireBed } from '../support/wire-bed.js'

const TEXT = 'A'.repeat(64)
const IV = 'r7BXXKkLb8qrSNn05n0qiA=='

describe('Wafer 2', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed((app, sessions) => {
      const protocol = wafer2Protocol()
      app.use('/wafer2', loginRouter({ sessions, protocol }))
      app.all('/me', requireSession({ sessions, protocol }), (req, res) => res.json({ openid: req.openid }))
    })
  })
  afterEach(() => bed.closeClean())

  const login = (headers: Record<string, string>) => bed.http.get('/wafer2/login').set(headers)
  const me = (skey: string) => bed.http.get('/me').set('x-wx-skey', skey)

  async function withData(phone = bed.phone): Promise<Record<string, string>> {
    const code = await bed.code(phone)
    const { encrypt_data, iv } = await bed.openData(phone)
    return { 'X-WX-Code': code, 'X-WX-Encrypted-Data': encrypt_data, 'X-WX-IV': iv }
  }
  async function logIn(): Promise<string> {
    return (jsonIn(await login(await withData())) as { data: { skey: string } }).data.skey
  }
  function expectFailure(res: Response, error: string, status = 200, code = -1): void {
    const answer = jsonIn(res, status) as { message: string }
    expect(answer).to.deep.equal({ code, error, message: answer.message, data: {} })
    expect(answer.message).to.be.a('string').that.is.not.equal('')
  }
  const identity = () => ({
    openId: bed.phone.openid,
    unionId: bed.phone.unionid,
    watermark: { appid: bed.phone.appid, timestamp: Math.floor(bed.clock() / 1000) },
  })

  it('answers a login with code 0, userinfo, skey and time', async () => {
    const answer = jsonIn(await login(await withData())) as { data: { skey: string } }
    const { userInfo } = await bed.phone.wx.getUserInfo({ withCredentials: false })
    const { skey } = answer.data
    const time = Math.floor(bed.clock() / 1000)
    expect(answer).to.deep.equal({ code: 0, data: { userinfo: { ...userInfo, ...identity() }, skey, time } })
    expect(skey).to.match(/^[A-Za-z0-9_-]{64}$/)
  })

  it('logs in with a code alone, at any method, and keeps the profile of an earlier login', async () => {
    const stranger = bed.http.post('/wafer2/login').set('X-WX-Code', await bed.code())
    expect((await stranger).body.data.userinfo).to.deep.equal(identity())
    await logIn()
    const { userInfo } = await bed.phone.wx.getUserInfo({ withCredentials: false })
    const known = await login({ 'X-WX-Code': await bed.code() })
    expect(known.body.data.userinfo).to.deep.equal({ ...userInfo, ...identity() })
  })

  it('gives each login a skey of its own, although the session_key may be the same', async () => {
    expect(await logIn()).not.to.equal(await logIn())
  })

  it('lets a good session through to the application', async () => {
    await me(await logIn()).expect(200, { openid: bed.phone.openid })
  })

  it('answers code -1 and ERR_SKEY_INVALID with HTTP 200 where there is no such session', async () => {
    const skey = await logIn()
    expectFailure(await bed.http.get('/me'), 'ERR_SKEY_INVALID')
    for (const text of [
      '',
      'x',
      TEXT,
      `${skey}A`,
      `${skey}, ${skey}`,
      'x'.repeat(10_000),
      '\u00e9\t\u00ff',
    ]) {
      expectFailure(await me(text), 'ERR_SKEY_INVALID')
    }
    const twice = [skey, skey] as unknown as string
    expectFailure(await me(twice), 'ERR_SKEY_INVALID')
    await bed.sessions.logout(skey)
    expectFailure(await me(skey), 'ERR_SKEY_INVALID')
  })

  it('never reads a session or a code from the query string or the body', async () => {
    const skey = await logIn()
    const fields = { skey, 'x-wx-skey': skey, code: await bed.code() }
    expectFailure(await bed.http.post('/me').query(fields).send(fields), 'ERR_SKEY_INVALID')
    expectFailure(await bed.http.post('/wafer2/login').query(fields).send(fields), 'ERR_HEADER_MISSED')
  })

  it('answers a login that is not usable with code -1 and the name that wafer-node-sdk gave it', async () => {
    const good = await withData()
    const { 'X-WX-Encrypted-Data': data = '', 'X-WX-IV': iv = '' } = good
    const twice = [IV, IV] as unknown as string
    const failures: [string, Record<string, string>][] = [
      ['ERR_HEADER_MISSED', {}],
      ['ERR_HEADER_MISSED', { 'X-WX-Encrypted-Data': data, 'X-WX-IV': iv }],
      ['ERR_HEADER_MISSED', { ...good, 'X-WX-Code': 'x'.repeat(10_000) }],
      ['ERR_HEADER_MISSED', { ...good, 'X-WX-Encrypted-Data': '' }],
      ['ERR_HEADER_MISSED', { ...good, 'X-WX-IV': '' }],
      ['ERR_GET_SESSION_KEY', { ...good, 'X-WX-Code': 'unknown-to-wechat' }],
      ['ERR_IN_DECRYPT_DATA', { ...good, 'X-WX-IV': 'AAAA' }],
      ['ERR_IN_DECRYPT_DATA', { ...good, 'X-WX-IV': `${'A'.repeat(43)}=` }],
      ['ERR_IN_DECRYPT_DATA', { ...good, 'X-WX-Encrypted-Data': `AA AA${data.slice(5)}` }],
      ['ERR_IN_DECRYPT_DATA', { ...good, 'X-WX-Encrypted-Data': 'AAAA' }],
      ['ERR_IN_DECRYPT_DATA', { ...good, 'X-WX-Encrypted-Data': tampered(data), 'X-WX-IV': IV }],
    ]
    for (const [error, headers] of failures) expectFailure(await login(headers), error)
    const doubled = await login({ ...(await withData()), 'X-WX-IV': twice })
    expectFailure(doubled, doubled.body.error)
  })

  const wechatFailures: [string, Misbehaviour, string][] = [
    ['never answers', 'hang', 'ERR_WECHAT_NO_ANSWER'],
    ['is too slow', { slowMs: 5000 }, 'ERR_WECHAT_NO_ANSWER'],
    ['drops the connection', 'drop', 'ERR_WECHAT_NO_ANSWER'],
    ['answers with an HTML page', 'html', 'ERR_WECHAT_ANSWER_INVALID'],
    ['forgets the session_key', 'missingSessionKey', 'ERR_WECHAT_ANSWER_INVALID'],
    ['is busy', { errcode: -1 }, 'ERR_WECHAT_BUSY'],
    ['refuses the code', { errcode: 40029 }, 'ERR_GET_SESSION_KEY'],
    ['counts too many logins', { errcode: 45011 }, 'ERR_WECHAT_RATE_LIMITED'],
    ['does not know the AppSecret', { errcode: 40125 }, 'ERR_SERVER_MISCONFIGURED'],
  ]
  for (const [what, misbehaviour, error] of wechatFailures) {
    it(`answers a login with ${error} when WeChat ${what}`, async () => {
      bed.sandbox.misbehave(misbehaviour)
      expectFailure(await login(await withData()), error)
    })
  }

  it('answers 503 and code 1 when the store fails or hangs, and never -1 or 401', async () => {
    const skey = await logIn()
    const data = await withData()
    for (const trouble of [
      () => Promise.reject(new Error('down')),
      () => new Promise<void>(() => undefined),
    ]) {
      bed.store.before = trouble
      const res = await me(skey)
      expectFailure(res, 'ERR_STORE_UNAVAILABLE', 503, 1)
      expect(res.headers['retry-after']).to.equal('1')
      expectFailure(await login(data), 'ERR_STORE_UNAVAILABLE')
    }
    bed.store.before = () => undefined
    await me(skey).expect(200)
  })

  it('answers in its own shape whatever its headers hold', async () => {
    const texts = fc.oneof(headerText, fc.constantFrom(TEXT, IV, '1234567'))
    const names = ['x-wx-code', 'x-wx-encrypted-data', 'x-wx-iv', 'x-wx-id', 'x-wx-skey']
    const headers = fc.dictionary(fc.constantFrom(...names), texts)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('/me', '/wafer2/login'), headers, async (path, sent) => {
        const res = await bed.http.get(path).set(sent)
        expectFailure(res, res.body.error)
        expect(res.body.error).to.match(path === '/me' ? /^ERR_SKEY_INVALID$/ : /^ERR_[A-Z_]+$/)
      }),
    )
  })
})
