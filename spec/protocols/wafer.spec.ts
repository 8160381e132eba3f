import { expect } from 'chai'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { loginRouter, requireSession, waferProtocol } from '../../lib/index.js'
import type { Misbehaviour } from '../../sandbox/index.js'
import { headerText, jsonIn, openWireBed, tampered, type WireBed } from '../support/wire-bed.js'

const MAGIC = 'F2C224D4-2BCE-4C64-AF9F-A6D872000D1A'
const TEXT = 'A'.repeat(64)
const IV = 'r7BXXKkLb8qrSNn05n0qiA=='
const ERRORS = ['ERR_LOGIN_FAILED', 'ERR_INVALID_SESSION', 'ERR_CHECK_LOGIN_FAILED']

interface Session {
  id: string
  skey: string
}

describe('Wafer 1', () => {
  let bed: WireBed

  beforeEach(async () => {
    bed = await openWireBed((app, sessions) => {
      const protocol = waferProtocol()
      app.use('/wafer', loginRouter({ sessions, protocol }))
      app.all('/me', requireSession({ sessions, protocol }), (req, res) => res.json({ openid: req.openid }))
    })
  })
  afterEach(() => bed.closeClean())

  const login = (headers: Record<string, string>) => bed.http.get('/wafer/login').set(headers)
  const me = ({ id, skey }: Session) => bed.http.get('/me').set({ 'x-wx-id': id, 'x-wx-skey': skey })

  async function withData(phone = bed.phone): Promise<Record<string, string>> {
    const code = await bed.code(phone)
    const { encrypt_data, iv } = await bed.openData(phone)
    return { 'X-WX-Code': code, 'X-WX-Encrypted-Data': encrypt_data, 'X-WX-IV': iv }
  }
  async function logIn(phone = bed.phone): Promise<Session> {
    return (jsonIn(await login(await withData(phone))) as { session: Session }).session
  }
  function expectFailure(answer: unknown, error: string): void {
    const { message } = answer as { message: string }
    expect(answer).to.deep.equal({ [MAGIC]: 1, error, type: error, message })
    expect(message).to.match(/[\u4e00-\u9fff]/)
  }

  it('answers a login with the magic key and a session of id and skey, and nothing else', async () => {
    const answer = jsonIn(await login(await withData())) as { session: Session }
    const { id, skey } = answer.session
    expect(answer).to.deep.equal({ [MAGIC]: 1, session: { id, skey } })
    expect(skey).to.match(/^[A-Za-z0-9_-]{64}$/)
    expect(id).to.equal(skey.slice(0, 20))
  })

  it('logs in at any method, with a code alone too, and gives the same id and a new skey', async () => {
    const first = await logIn()
    const again = bed.http.post('/wafer/login').set('X-WX-Code', await bed.code())
    const { session } = jsonIn(await again) as { session: Session }
    expect(session.id).to.equal(first.id)
    expect(session.skey).not.to.equal(first.skey)
  })

  it('lets a good session through to the application, at every method', async () => {
    const session = await logIn()
    await me(session).expect(200, { openid: bed.phone.openid })
    const post = bed.http.post('/me').set({ 'x-wx-id': session.id, 'x-wx-skey': session.skey })
    await post.expect(200, { openid: bed.phone.openid })
  })

  it('tells who comes to log in with a good session that it is there, without a call to WeChat', async () => {
    const { id, skey } = await logIn()
    bed.sandbox.clearCalls()
    const answer = jsonIn(await login({ 'x-wx-id': id, 'x-wx-skey': skey }))
    expect(answer).to.deep.equal({ code: 0, message: '小程序会话已登录' })
    expect(bed.sandbox.callCount('/sns/jscode2session')).to.equal(0)
  })

  it('logs in with a fresh code also beside a good session, which ends in the same step', async () => {
    const { id, skey } = await logIn()
    const answer = jsonIn(await login({ ...(await withData()), 'x-wx-id': id, 'x-wx-skey': skey }))
    const { session } = answer as { session: Session }
    expect(session.skey).not.to.equal(skey)
    await me(session).expect(200, { openid: bed.phone.openid })
    expectFailure(jsonIn(await me({ id, skey })), 'ERR_INVALID_SESSION')
  })

  it('answers ERR_INVALID_SESSION where there is no such session', async () => {
    const [own, others] = [await logIn(), await logIn(bed.sandbox.phone())]
    const tokens: Record<string, string>[] = [
      {},
      { 'x-wx-id': own.id },
      { 'x-wx-skey': own.skey },
      { 'x-wx-id': '', 'x-wx-skey': '' },
      { 'x-wx-id': others.id, 'x-wx-skey': own.skey },
      { 'x-wx-id': own.id, 'x-wx-skey': `${own.id}${'A'.repeat(44)}` },
      { 'x-wx-id': own.id, 'x-wx-skey': `${own.skey} ${own.skey}` },
      { 'x-wx-id': own.id, 'x-wx-skey': 'x'.repeat(10_000) },
      { 'x-wx-id': own.id, 'x-wx-skey': '\u00e9\t\u00ff' },
    ]
    for (const headers of tokens) {
      expectFailure(jsonIn(await bed.http.get('/me').set(headers)), 'ERR_INVALID_SESSION')
    }
    await me(own).expect(200)
  })

  it('answers ERR_INVALID_SESSION at /login to a session that has ended, so that the client drops it', async () => {
    const { id, skey } = await logIn()
    await bed.sessions.logout(skey)
    const answer = jsonIn(await login({ 'x-wx-id': id, 'x-wx-skey': skey }))
    expectFailure(answer, 'ERR_INVALID_SESSION')
  })

  it('accepts no header that is sent twice', async () => {
    const { id, skey } = await logIn()
    const twice = (text: string) => [text, text] as unknown as string
    for (const headers of [
      { 'x-wx-id': twice(id), 'x-wx-skey': skey },
      { 'x-wx-id': id, 'x-wx-skey': twice(skey) },
    ]) {
      expectFailure(jsonIn(await bed.http.get('/me').set(headers)), 'ERR_INVALID_SESSION')
    }
    const code = jsonIn(await login({ 'x-wx-code': twice(await bed.code()) })) as { error: string }
    expectFailure(code, code.error)
    expect(bed.sandbox.callCount('/sns/jscode2session')).to.equal(1)
  })

  it('never reads a session or a code from the query string or the body', async () => {
    const { id, skey } = await logIn()
    const fields = { id, skey, 'x-wx-id': id, 'X-WX-Skey': skey, code: await bed.code() }
    expectFailure(jsonIn(await bed.http.post('/me').query(fields).send(fields)), 'ERR_INVALID_SESSION')
    expectFailure(jsonIn(await bed.http.post('/wafer/login').query(fields).send(fields)), 'ERR_LOGIN_FAILED')
  })

  it('answers ERR_LOGIN_FAILED to a login that is not usable', async () => {
    const good = await withData()
    const { 'X-WX-Encrypted-Data': data = '', 'X-WX-IV': iv = '' } = good
    const headers: Record<string, string>[] = [
      { 'X-WX-Encrypted-Data': data, 'X-WX-IV': iv },
      { ...good, 'X-WX-Code': '' },
      { ...good, 'X-WX-Code': 'x'.repeat(10_000) },
      { ...good, 'X-WX-Code': 'unknown-to-wechat' },
      { ...good, 'X-WX-Code': 'the code is a mock one' },
      { ...good, 'X-WX-Code': 'caf\u00e9' },
      { ...good, 'X-WX-Encrypted-Data': '' },
      { ...good, 'X-WX-IV': '' },
      { ...good, 'X-WX-IV': 'AAAA' },
      { ...good, 'X-WX-IV': `${'A'.repeat(43)}=` },
      { ...good, 'X-WX-Encrypted-Data': `AA AA${data.slice(5)}` },
      { ...good, 'X-WX-Encrypted-Data': 'AAAA' },
      { ...good, 'X-WX-Encrypted-Data': tampered(data), 'X-WX-IV': IV },
    ]
    for (const sent of headers) expectFailure(jsonIn(await login(sent)), 'ERR_LOGIN_FAILED')
  })

  const wechatFailures: [string, Misbehaviour][] = [
    ['never answers', 'hang'],
    ['is too slow', { slowMs: 5000 }],
    ['drops the connection', 'drop'],
    ['answers with an HTML page', 'html'],
    ['forgets the session_key', 'missingSessionKey'],
    ['is busy', { errcode: -1 }],
    ['refuses the code', { errcode: 40029 }],
    ['counts too many logins', { errcode: 45011 }],
    ['does not know the AppSecret', { errcode: 40125 }],
  ]
  for (const [what, misbehaviour] of wechatFailures) {
    it(`answers ERR_LOGIN_FAILED when WeChat ${what}`, async () => {
      bed.sandbox.misbehave(misbehaviour)
      expectFailure(jsonIn(await login(await withData())), 'ERR_LOGIN_FAILED')
    })
  }

  it('answers ERR_CHECK_LOGIN_FAILED when the store fails or hangs, and never ERR_INVALID_SESSION', async () => {
    const session = await logIn()
    const { id, skey } = session
    const data = await withData()
    for (const trouble of [
      () => Promise.reject(new Error('down')),
      () => new Promise<void>(() => undefined),
    ]) {
      bed.store.before = trouble
      expectFailure(jsonIn(await me(session)), 'ERR_CHECK_LOGIN_FAILED')
      expectFailure(jsonIn(await login(data)), 'ERR_LOGIN_FAILED')
      expectFailure(jsonIn(await login({ 'x-wx-id': id, 'x-wx-skey': skey })), 'ERR_LOGIN_FAILED')
    }
    bed.store.before = () => undefined
    await me(session).expect(200)
  })

  it('answers in its own shape whatever its headers hold', async () => {
    const names = ['x-wx-code', 'x-wx-encrypted-data', 'x-wx-iv', 'x-wx-id', 'x-wx-skey']
    const texts = fc.oneof(headerText, fc.constantFrom(TEXT, TEXT.slice(0, 20), IV, '1234567'))
    const headers = fc.dictionary(fc.constantFrom(...names), texts)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('/me', '/wafer/login'), headers, async (path, sent) => {
        const answer = jsonIn(await bed.http.get(path).set(sent)) as { error: string }
        expectFailure(answer, answer.error)
        expect(answer.error).to.be.oneOf(path === '/me' ? ERRORS.slice(1) : ERRORS.slice(0, 2))
      }),
    )
  })
})
