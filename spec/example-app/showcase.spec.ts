import { networkInterfaces } from 'node:os'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import type { Step } from '../../example-app/showcase/trace.js'
import { startRedisServer } from '../support/redis-server.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openShowcaseBed, type ShowcaseBed } from './showcase-bed.js'

const HIDDEN = '•••'

const NONCE = 'a-nonce-of-the-phone'

describe('the showcase of the example app', () => {
  let bed: ShowcaseBed

  beforeEach(async () => {
    bed = await openShowcaseBed()
  })
  afterEach(() => bed.close())

  const post = async (path: string, body: object, status = 200) =>
    (await supertest(bed.url).post(`/showcase/${path}`).send(body).expect(status)).body

  async function logIn(user = 'ann') {
    const { result } = await post('wechat', { api: 'login', user })
    const { answer, trace } = await ask('POST', '/login', '', { code: result.code })
    return { code: result.code as string, token: answer.data.token as string, trace: trace as Step[] }
  }

  function ask(method: string, path: string, token = '', data?: object) {
    const header = token ? { 'x-3rd-session': token } : {}
    return post('request', { method, path, header, data })
  }

  const linesOf = (trace: readonly Step[]) => trace.map(({ from, to, text }) => `${from}>${to} ${text}`)

  it('is a page that loads nothing from elsewhere', async () => {
    const page = await supertest(bed.url)
      .get('/')
      .expect(200)
      .expect('content-type', /^text\/html/)
    expect(page.headers['content-security-policy']).to.contain("default-src 'none';script-src 'self'")
    expect(page.headers['content-security-policy']).not.to.match(/unsafe|https?:|\*/)
    for (const [path, type] of [
      ['/page.js', /javascript/],
      ['/page.css', /css/],
      ['/icon.svg', /svg/],
    ] as const) {
      await supertest(bed.url).get(path).expect(200).expect('content-type', type)
    }
  })

  it('shows who asks whom during a login, in order', async () => {
    const { trace } = await logIn()
    expect(linesOf(trace)).to.deep.equal([
      'phone>app POST /login',
      'app>store claim it: one request only, in all processes',
      'app>wechat GET /sns/jscode2session',
      'wechat>app 200',
      'app>store look up the user',
      'app>store write the session',
      'app>store write what all processes share',
      'app>store note that the code is used',
      'app>phone 200',
    ])
  })

  it('shows one read for an authenticated request', async () => {
    const { token } = await logIn()
    const { trace, answer } = await ask('GET', '/me', token)
    expect(answer.statusCode).to.equal(200)
    expect(linesOf(trace)).to.deep.equal(['phone>app GET /me', 'app>store read the session', 'app>phone 200'])
  })

  it('shows no secret, whatever passes', async () => {
    const { code, token, trace } = await logIn()
    const { result: steps } = await post('wechat', { api: 'we-run-data', user: 'ann' })
    const { result: phone } = await post('wechat', { api: 'phone-number', user: 'ann' })
    const traces = [
      trace,
      (await ask('POST', '/steps', token, steps)).trace,
      (await ask('POST', '/session/phone-number', token, { code: phone.code })).trace,
      (await ask('PUT', '/session/user-info', token, { userInfo: { nickName: 'Ann' } })).trace,
      (await ask('GET', '/me', `${token}!`)).trace,
      (await ask('POST', '/login', token, { code: 'used', nonce: NONCE })).trace,
    ]
    const shown = JSON.stringify(traces)
    expect(shown).to.contain(HIDDEN).and.to.contain('Ann').and.to.contain('ERR_TOKEN_MALFORMED')
    const sandbox = bed.runtime.showcase?.sandbox
    const sessionKey = sandbox?.sessionKeyOf({ user: 'ann', appid: sandbox.app.appid })
    for (const secret of [
      code,
      token,
      NONCE,
      phone.code,
      steps.encryptedData,
      steps.iv,
      sessionKey,
      sandbox?.app.secret,
    ]) {
      expect(shown).not.to.contain(String(secret))
    }
  })

  it('keeps the traces of requests at one time apart', async () => {
    const [ann, bob] = await Promise.all([logIn('ann'), logIn('bob')])
    expect(linesOf(ann.trace)).to.deep.equal(linesOf(bob.trace))
  })

  it('lists the sessions of a user with both ends, idle and absolute', async () => {
    await logIn('bob')
    await logIn()
    const state = (await supertest(bed.url).get('/showcase/state?user=ann').expect(200)).body
    expect(state).to.include({ store: 'memory', wechatUp: true, sessionDurationSeconds: 604_800 })
    expect(state.sessions).to.have.lengthOf(1)
    const [session] = state.sessions
    expect(session.key).to.equal(`weapp:{…} ${session.id}`)
    expect(Date.parse(session.expiresAt) - Date.parse(session.createdAt)).to.equal(30 * 86_400_000)
    expect(Date.parse(session.idleExpiresAt) - Date.parse(session.lastVisitAt)).to.equal(7 * 86_400_000)
  })

  it('lets time pass, and a session expire', async () => {
    const { token } = await logIn()
    const before = await supertest(bed.url).get('/showcase/state?user=ann')
    const state = await post('time', { user: 'ann', seconds: 8 * 86_400 })
    expect(Date.parse(state.now) - Date.parse(before.body.now)).to.be.at.least(8 * 86_400_000)
    expect([before.body.aheadSeconds, state.aheadSeconds]).to.deep.equal([0, 8 * 86_400])
    expect(state.sessions).to.deep.equal([])
    expect((await ask('GET', '/me', token)).answer).to.deep.include({ statusCode: 401 })
  })

  it('lets WeChat rotate the key, and be down', async () => {
    const { token } = await logIn()
    await post('rotate', { user: 'ann' })
    const { result } = await post('wechat', { api: 'we-run-data', user: 'ann' })
    expect((await ask('POST', '/steps', token, result)).answer.data.code).to.equal('ERR_SESSION_KEY_STALE')
    expect(await post('switch', { user: 'ann', up: false })).to.include({ wechatUp: false })
    expect(await post('switch', { user: 'ann', up: false })).to.include({ wechatUp: false })
    await Promise.all([true, false, true, false].map((up) => post('switch', { user: 'ann', up })))
    expect(await post('wechat', { api: 'login', user: 'ann' })).to.deep.equal({
      result: null,
      errMsg: 'login:fail WeChat cannot be reached',
    })
    expect((await ask('GET', '/me', token)).answer.statusCode).to.equal(200)
    expect(await post('switch', { user: 'ann', up: true })).to.include({ wechatUp: true })
    await logIn()
  })

  it('starts over: real time, WeChat up, and the user logged in nowhere', async () => {
    const { token } = await logIn()
    await post('time', { user: 'ann', seconds: 86_400 })
    await post('switch', { user: 'ann', up: false })
    const state = await post('reset', { user: 'ann' })
    expect(state).to.deep.include({ aheadSeconds: 0, wechatUp: true, sessions: [] })
    expect(Date.parse(state.now)).to.be.at.most(Date.now())
    expect((await ask('GET', '/me', token)).answer.statusCode).to.equal(401)
    await post('reset', {}, 400)
    await logIn('bob')
  })

  it('names the line that does it in every step', async () => {
    const { trace } = await logIn()
    expect(trace.map(({ source }) => source)).to.deep.equal([
      'POST /login',
      'store.replaceValue',
      'GET /sns/jscode2session',
      'answer GET /sns/jscode2session',
      'store.readUser',
      'store.issue',
      'store.replaceValue',
      'store.replaceValue',
      'answer POST /login',
    ])
    for (const [path, source] of [
      ['/sessions/abc?a=1', 'DELETE /sessions/:id'],
      ['/nowhere', 'DELETE /nowhere'],
    ] as const) {
      const { trace: refused } = await ask('DELETE', path)
      expect(refused[0].source).to.equal(source)
      expect(refused.at(-1).source).to.equal(path === '/nowhere' ? 'failure' : 'ERR_TOKEN_MISSING')
    }
  })

  it('is for whoever sits at the machine: other names of it, and its own phones, are refused', async () => {
    const lever = () => supertest(bed.url).post('/showcase/time').send({ user: 'ann', seconds: 1 })
    await lever().set('host', 'evil.example:3000').expect(403)
    await lever().set('x-showcase-trace', 'a').expect(403)
    for (const host of ['localhost:3000', '127.0.0.1', '[::1]:3000'])
      await lever().set('host', host).expect(200)
    expect(bed.runtime.host).to.equal('127.0.0.1')
    for (const path of ['/./showcase/state?user=ann', '/Showcase/state?user=ann']) {
      expect((await ask('GET', path)).answer.statusCode).to.equal(403)
    }
  })

  it('says what the exchange of a code carries, by name', async () => {
    const { trace } = await logIn()
    const details = trace
      .filter(({ to, from }) => to === 'wechat' || from === 'wechat')
      .map(({ detail }) => detail)
    expect(details).to.deep.equal(['appid, secret •••, js_code •••', 'openid •••, session_key •••'])
  })

  it('answers 400 with a sentence to what it does not know', async () => {
    for (const [path, body, words] of [
      ['time', { user: 'ann', seconds: -1 }, /"seconds" must be/],
      ['time', { user: 'ann', seconds: '60' }, /"seconds" must be/],
      ['time', { user: 'ann', seconds: 1e9 }, /"seconds" must be/],
      ['time', { user: '<b>', seconds: 1 }, /"user" must be/],
      ['rotate', {}, /"user" must be/],
      ['wechat', { api: '../cgi-bin/token', user: 'ann' }, /"api" must be one of/],
      ['request', { path: 'http://example.org/' }, /"path" must be/],
      ['request', { path: '/showcase/time' }, /"path" must be/],
      ['request', { path: '/me', method: 'get /' }, /"method" must be/],
    ] as const) {
      expect((await post(path, body, 400)).error).to.match(words)
    }
    const before = bed.runtime.showcase?.clock() ?? 0
    await post('time', { user: '<b>', seconds: 30 * 86_400 }, 400)
    expect(bed.runtime.showcase?.clock()).to.be.below(before + 86_400_000)
    const broken = supertest(bed.url).post('/showcase/time').set('content-type', 'application/json').send('{')
    expect((await broken.expect(400)).body).to.have.property('error')
  })

  it('tells that no answer came when the app cannot be asked', async () => {
    const { answer, errMsg, trace } = await post('request', { path: '/me', header: { 'bad header': '1' } })
    expect([answer, trace.at(-1).text]).to.deep.equal([null, 'no answer'])
    expect(errMsg).to.match(/^request:fail /)
  })

  it('takes a request that names no trace of the page for any other', async () => {
    const { token } = await logIn()
    await supertest(bed.url).get('/me').set('x-3rd-session', token).set('x-showcase-trace', 'a').expect(200)
  })

  it('shows no query, and nothing of what older clients send encrypted', async () => {
    const traces = [
      (await ask('GET', '/mina/login?code=a-secret')).trace,
      (
        await ask('POST', '/mina_auth/', '', {
          interface: { para: { code: 'a-secret', encrypt_data: 'a-secret' } },
        })
      ).trace,
    ]
    expect(JSON.stringify(traces)).not.to.contain('a-secret')
  })
})

/** An address that leads to this machine only, and is not 127.0.0.1. */
function anotherAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  return addresses.some(({ address }) => address === '::1') ? '::1' : '127.0.0.2'
}

describe('the example app', () => {
  it('shows Redis where that is its store', async () => {
    const bed = await openShowcaseBed({ REDIS_URL: (await sharedRedis()).url })
    try {
      const state = await supertest(bed.url).get('/showcase/state?user=ann').expect(200)
      expect(state.body).to.deep.include({ store: 'redis', sessions: [] })
    } finally {
      await bed.close()
    }
  })

  it('starts over with Redis, too, and dates the next login by the real time', async () => {
    const bed = await openShowcaseBed({ REDIS_URL: (await sharedRedis()).url })
    const post = async (path: string, body: object) =>
      (await supertest(bed.url).post(`/showcase/${path}`).send(body).expect(200)).body
    const logIn = async (user: string) => {
      const { code } = (await post('wechat', { api: 'login', user })).result
      return post('request', { method: 'POST', path: '/login', data: { code } })
    }
    try {
      await post('time', { user: 'ann', seconds: 8 * 86_400 })
      expect((await logIn('ann')).answer.statusCode).to.equal(200)
      expect((await post('reset', { user: 'ann' })).sessions).to.deep.equal([])
      expect((await logIn('bob')).answer.statusCode).to.equal(200)
      const [session] = (await supertest(bed.url).get('/showcase/state?user=bob')).body.sessions
      expect(Date.parse(session.createdAt)).to.be.at.most(Date.now())
    } finally {
      await bed.close()
    }
  })

  it('shows that Redis is away, and moves what was to be moved all the same', async () => {
    const redis = await startRedisServer()
    const bed = await openShowcaseBed({ REDIS_URL: redis.url })
    try {
      await redis.kill()
      const state = await supertest(bed.url)
        .post('/showcase/time')
        .send({ user: 'ann', seconds: 60 })
        .expect(200)
      expect(state.body).to.deep.include({ storeUp: false, sessions: [] })
    } finally {
      await bed.close()
      await redis.stop()
    }
  })

  it('serves its page at whatever address of this machine it listens', async () => {
    const bed = await openShowcaseBed({ HOST: anotherAddress() })
    try {
      const res = await supertest(bed.url).post('/showcase/request').send({ path: '/healthz' }).expect(200)
      expect(res.body.answer).to.deep.include({ statusCode: 200 })
    } finally {
      await bed.close()
    }
  })

  it('has no page and no levers with real credentials', async () => {
    const bed = await openShowcaseBed({ WEAPP_APPID: 'wx1', WEAPP_SECRET: 'a-secret' })
    try {
      expect([bed.runtime.showcase, bed.runtime.host]).to.deep.equal([undefined, undefined])
      for (const path of ['/', '/page.js', '/page.css', '/showcase/state?user=ann']) {
        await supertest(bed.url).get(path).expect(404)
      }
      await supertest(bed.url).post('/showcase/time').send({ user: 'ann', seconds: 1 }).expect(404)
    } finally {
      await bed.close()
    }
  })
})
