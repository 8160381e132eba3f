import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { networkOf } from '../../lib/http/login-limits.js'
import {
  type LoginRefusedEvent,
  loginRouter,
  MemoryStore,
  RedisStore,
  type Sessions,
  wafer2Protocol,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { inCrowds } from '../support/crowds.js'
import { untilIdle } from '../support/idle.js'
import { expectProblem } from '../support/problem.js'
import { sharedRedis } from '../support/shared-redis.js'
import { EXCHANGE, openTestBed, type TestBed, type TestBedOptions } from '../support/test-bed.js'

describe('the limits of logins', () => {
  let bed: TestBed
  let server: Server
  let http: TestBed['http']

  async function open(options: TestBedOptions = {}): Promise<void> {
    bed = await openTestBed(options)
    bed.app.set('trust proxy', 1)
    server = bed.app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    http = supertest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  }
  afterEach(async () => {
    server.close()
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  let invented = 0
  function newCode(): string {
    invented += 1
    return `invented${invented}`
  }
  function bad(address = '203.0.113.7', to = http) {
    return to.post('/login').set('x-forwarded-for', address).send({ code: newCode() })
  }
  async function good(address = '203.0.113.7') {
    const { code } = await bed.sandbox.phone().wx.login()
    return http.post('/login').set('x-forwarded-for', address).send({ code })
  }
  const reached = () => bed.sandbox.callCount(EXCHANGE)

  it('let 600 of 1,000 invented codes from one address through to WeChat, and tell of them', async () => {
    const refused: LoginRefusedEvent[] = []
    await open({ onLoginRefused: (event) => void refused.push(event) })
    await inCrowds(1000, 50, () => bad())
    expect(reached()).to.equal(600)
    expectProblem(await bad(), 429, 'ERR_LOGIN_LIMIT')
    await untilIdle(bed.sessions)
    expect(refused).to.have.lengthOf(1001)
    expect(refused.filter(({ code }) => code === 'ERR_CODE_INVALID')).to.have.lengthOf(600)
    expect(refused.at(-1)).to.deep.equal({
      appid: bed.phone.appid,
      code: 'ERR_LOGIN_LIMIT',
      peer: '203.0.113.7',
      mount: '/login',
      at: new Date(bed.clock()),
    })
    expect(bed.log).to.have.lengthOf(2)
    expect(bed.log.join()).to.match(/ERR_CODE_INVALID.*ERR_LOGIN_LIMIT/)
    expect(bed.log.join()).not.to.contain('invented')
    bed.clock.advance(60_000)
    await bad()
    expect(bed.log.at(-1)).to.match(/refused with ERR_CODE_INVALID.*; 599 more since it was last logged$/)
  })

  it('do not let an address that is over its limit use up that of the app', async () => {
    await open({ limit: { perAddress: 5, perApp: 20 } })
    await inCrowds(200, 10, () => bad())
    await untilIdle(bed.sessions)
    expect((await good('203.0.113.8')).status).to.equal(200)
  })

  it('hold for the app where each code comes from another address', async () => {
    await open({ limit: { perApp: 40 } })
    await inCrowds(400, 20, (index) => bad(`198.51.${index >> 8}.${index & 255}`))
    expect(reached()).to.equal(40)
    expectProblem(await good('192.0.2.1'), 429, 'ERR_LOGIN_LIMIT')
  })

  it('do not stand in the way of users behind one address, however many log in', async () => {
    await open({ limit: { perAddress: 60, perApp: 60 } })
    const answers = await inCrowds(300, 30, () => good())
    expect(answers.filter(({ status }) => status !== 200)).to.deep.equal([])
  })

  it('begin anew after their time, which Retry-After and RateLimit tell', async () => {
    await open({ limit: { perAddress: 2, perApp: false, windowSeconds: 90 } })
    const first = await bad()
    expect(first.headers.ratelimit).to.equal('"logins-by-address"; r=1; t=90')
    expect(first.headers['ratelimit-policy']).to.match(/^"logins-by-address"; q=2; w=90; pk=:\S+:$/)
    await bad()
    const { headers } = await bad()
    expect(headers['retry-after']).to.equal('90')
    expect(headers['cache-control']).to.equal('no-store')
    bed.clock.advance(89_999)
    expectProblem(await good(), 429, 'ERR_LOGIN_LIMIT')
    bed.clock.advance(1)
    expect((await good()).status).to.equal(200)
  })

  it('do not count what fails through no fault of the client', async () => {
    await open({ limit: { perAddress: 1 } })
    bed.sandbox.misbehave({ errcode: 40013 }, { times: 3 })
    for (let times = 0; times < 3; times += 1) {
      expectProblem(await bad(), 500, 'ERR_SERVER_MISCONFIGURED')
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await good()).status).to.equal(200)
  })

  it('can be turned off, both or one', async () => {
    await open({ limit: false })
    for (let times = 0; times < 610; times += 1) await bad()
    expect(reached()).to.equal(610)
    expect((await bad()).headers).not.to.have.property('ratelimit')
  })

  it('let nothing through to WeChat while the store is down', async () => {
    const store = new MemoryStore({ clock: testClock() })
    await open({ store: Object.assign(store, { addToValue: () => Promise.reject(new Error('down')) }) })
    expectProblem(await good(), 503, 'ERR_STORE_UNAVAILABLE')
    expect(reached()).to.equal(0)
  })

  it('let nothing through to WeChat while the store is too slow', async () => {
    const store = new MemoryStore({ clock: testClock() })
    const hanging = Object.assign(store, { addToValue: () => new Promise<never>(() => {}) })
    await open({ store: hanging, storeTimeoutMs: 500 })
    expectProblem(await good(), 503, 'ERR_STORE_UNAVAILABLE')
    expect(reached()).to.equal(0)
  })

  it('hold in all processes, and put neither addresses nor AppIDs into Redis', async () => {
    const redis = new Redis((await sharedRedis()).url)
    await redis.flushall()
    const prefix = 'limits:'
    await open({ store: new RedisStore(redis, { prefix }), limit: { perAddress: 10 } })
    const other = await openTestBed({ store: new RedisStore(redis, { prefix }), limit: { perAddress: 10 } })
    other.app.set('trust proxy', 1)
    await Promise.all(Array.from({ length: 40 }, (_, index) => bad(undefined, index % 2 ? http : other.http)))
    expect(reached() + other.sandbox.callCount(EXCHANGE)).to.equal(10)
    await Promise.all([bed.sessions.close(), other.close()])
    const keys = await redis.keys('*')
    expect(keys.length).to.be.within(12, 22)
    const values = await Promise.all(keys.map((key) => redis.get(key)))
    expect([...keys, ...values].join())
      .not.to.contain('203.0.113')
      .and.not.to.contain(bed.phone.appid)
    await redis.flushall()
    redis.disconnect()
  })

  it('send the same bad code to WeChat once, from all processes', async () => {
    const redis = new Redis((await sharedRedis()).url)
    await redis.flushall()
    await open({ store: new RedisStore(redis) })
    const again = () => bed.http.post('/login').send({ code: 'the-same-bad-code' })
    for (let times = 0; times < 5; times += 1) expectProblem(await again(), 401, 'ERR_CODE_INVALID')
    const other = await openTestBed({ store: new RedisStore(redis) })
    const elsewhere = await other.http.post('/login').send({ code: 'the-same-bad-code' })
    expectProblem(elsewhere, 401, 'ERR_CODE_INVALID')
    expect([reached(), other.sandbox.callCount(EXCHANGE)]).to.deep.equal([1, 0])
    await other.close()
    redis.disconnect()
  })

  describe('and a forged X-Forwarded-For', () => {
    it('do not believe it without trust proxy, and tell the log once', async () => {
      await open({ limit: { perAddress: 5 } })
      bed.app.set('trust proxy', false)
      await inCrowds(20, 1, (index) => bad(`198.51.100.${index}`))
      expect(reached()).to.equal(5)
      expect(bed.log.filter((line) => line.includes('trust proxy is not set'))).to.have.lengthOf(1)
    })

    it('believe the last address behind one proxy', async () => {
      await open({ limit: { perAddress: 5 } })
      await inCrowds(20, 1, (index) => bad(`198.51.100.${index}, 203.0.113.7`))
      expect(reached()).to.equal(5)
      expect(bed.log.filter((line) => line.includes('trust proxy'))).to.deep.equal([])
    })

    it('are escaped where trust proxy is true, and the log says so', async () => {
      await open({ limit: { perAddress: 5 } })
      bed.app.set('trust proxy', true)
      await inCrowds(20, 1, (index) => bad(`198.51.100.${index}`))
      expect(reached()).to.equal(20)
      expect(bed.log.filter((line) => line.includes('trust proxy is true'))).to.have.lengthOf(1)
    })
  })

  describe('in the old protocols', () => {
    async function askTwice(
      protocol: Parameters<typeof loginRouter>[0],
      ask: (http: supertest.Agent) => supertest.Test,
    ) {
      const app = express().use(
        '/old',
        loginRouter({ sessions: bed.sessions, limit: { perAddress: 1 }, ...protocol }),
      )
      const http = supertest(app) as unknown as supertest.Agent
      await ask(http)
      const { status, body } = await ask(http)
      expect(reached()).to.equal(1)
      return { status, body }
    }

    it('answer in the words of Wafer', async () => {
      await open()
      const ask = (http: supertest.Agent) => http.get('/old/login').set('x-wx-code', newCode())
      const { status, body } = await askTwice({ protocol: waferProtocol() }, ask)
      expect([status, body.error]).to.deep.equal([200, 'ERR_LOGIN_FAILED'])
      expect(body.message).to.contain('ERR_LOGIN_LIMIT')
    })

    it('answer in the words of Wafer 2', async () => {
      await open()
      const ask = (http: supertest.Agent) => http.get('/old/login').set('x-wx-code', newCode())
      const { status, body } = await askTwice({ protocol: wafer2Protocol() }, ask)
      expect([status, body.code, body.error]).to.deep.equal([200, -1, 'ERR_LOGIN_LIMIT'])
    })

    it('answer in the words of wxapp', async () => {
      await open()
      const ask = (http: supertest.Agent) => http.post('/old/login').send({ code: newCode() })
      const { status, body } = await askTwice({ protocol: wxappProtocol() }, ask)
      expect([status, body]).to.deep.equal([200, { ok: 'fail', msg: '网络错误', data: {} }])
    })

    it('count logins of the session server by app only, and no other call of it', async () => {
      await open()
      const para = () => ({ code: newCode(), encrypt_data: 'x' })
      const call = (name: string, fields: object) => (http: supertest.Agent) =>
        http.post('/old').send({ interface: { interfaceName: name, para: fields } })
      const sessions = bed.sessions
      const app = express().use(
        '/old',
        loginRouter({ sessions, protocol: waferServerProtocol(), limit: { perAddress: 1, perApp: 3 } }),
      )
      const http = supertest(app) as unknown as supertest.Agent
      for (let times = 0; times < 5; times += 1)
        await call('qcloud.cam.auth', { id: 'x', skey: 'y' })(http).expect(200)
      const codes: number[] = []
      for (let times = 0; times < 5; times += 1)
        codes.push((await call('qcloud.cam.id_skey', para())(http)).body.returnCode)
      expect(codes).to.deep.equal([60021, 60021, 60021, 1005, 1005])
    })
  })

  it('are not for sessions of one’s own, and a copy of ours keeps them', async () => {
    await open()
    const own = { login: bed.sessions.login, authenticate: bed.sessions.authenticate } as Sessions
    expect(() => loginRouter({ sessions: own, limit: {} })).to.throw(TypeError, /^loginRouter: limit needs/)
    const mounted = (sessions: Sessions) => supertest(express().use(loginRouter({ sessions })))
    const answer = await mounted(own).post('/login').send({ code: 'invented' })
    expect(answer.headers).not.to.have.property('ratelimit')
    const copied = await mounted({ ...bed.sessions })
      .post('/login')
      .send({ code: 'invented too' })
    expect(copied.headers).to.have.property('ratelimit')
  })

  it('refuse wrong options by a TypeError that names them', async () => {
    await open()
    const wrong: [unknown, RegExp][] = [
      [true, /^loginRouter: limit must be false or an object/],
      [null, /^loginRouter: limit must be false or an object/],
      [{ perUser: 1 }, /^loginRouter: limit: unknown option "perUser"/],
      [{ perAddress: 0 }, /^loginRouter: limit\.perAddress must be an integer from 1/],
      [{ perApp: true }, /^loginRouter: limit\.perApp must be an integer from 1/],
      [{ windowSeconds: 0.5 }, /^loginRouter: limit\.windowSeconds must be an integer from 1 to 86400/],
    ]
    for (const [limit, message] of wrong)
      expect(() => loginRouter({ sessions: bed.sessions, limit: limit as false })).to.throw(
        TypeError,
        message,
      )
  })

  it('take an IPv6 network for one client, an address with a port for the address, and the rest for one', async () => {
    await open()
    const same = networkOf('2001:db8:1:aa00::1')
    expect(networkOf('2001:db8:1:aaff:ffff::9')).to.equal(same)
    expect(networkOf('2001:db8:1:ab00::1')).not.to.equal(same)
    expect(networkOf('203.0.113.7:4711')).to.equal('203.0.113.7')
    expect(networkOf('::ffff:203.0.113.7')).to.equal('203.0.113.7')
    expect(networkOf('fe80::1%eth0')).to.equal(networkOf('fe80::1'))
    expect(networkOf('unknown')).to.equal(networkOf('x'.repeat(9000)))
    const anything = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended())
    fc.assert(fc.property(anything, (address) => networkOf(address).length <= 50))
  })

  it('go on when onLoginRefused fails or hangs, and say so once', async () => {
    let calls = 0
    await open({
      onLoginRefused: () => {
        calls += 1
        if (calls % 2) throw new Error('my hook is broken')
        return Promise.reject(new Error('my hook is broken'))
      },
    })
    for (let times = 0; times < 4; times += 1) expectProblem(await bad(), 401, 'ERR_CODE_INVALID')
    expect(calls).to.equal(4)
    expect(bed.log.filter((line) => line.startsWith('onLoginRefused failed'))).to.have.lengthOf(1)
  })

  it('tell onLoginRefused of what never became a login, but of no failure of the server', async () => {
    const codes: string[] = []
    await open({ onLoginRefused: ({ code }) => void codes.push(code) })
    await bed.http.post('/login').set('content-type', 'application/json').send('{')
    await bed.http.post('/login').send({})
    await bed.http.post('/login').send({ code: 'x', appid: 'wxunknown' })
    bed.sandbox.misbehave({ errcode: 40013 }, { times: 1 })
    await bad()
    await bed.http.get('/session')
    expect(codes).to.deep.equal(['ERR_BODY_INVALID', 'ERR_REQUEST_INVALID', 'ERR_APP_UNKNOWN'])
  })

  it('leave WeChat alone after it has said wait: of further logins none reaches it before a probe is due, and codes stay good', async () => {
    await open({ limit: false })
    const restore = bed.sandbox.misbehave({ errcode: 45011 })
    const { code } = await bed.sandbox.phone().wx.login()
    await inCrowds(300, 50, () => bad())
    expect(reached()).to.be.below(60)
    const before = reached()
    await inCrowds(700, 50, () => bad())
    expectProblem(await bed.http.post('/login').send({ code }), 429, 'ERR_WECHAT_RATE_LIMITED')
    expect(reached()).to.equal(before)
    restore()
    bed.clock.advance(1000)
    await bed.http.post('/login').send({ code }).expect(200)
    expect((await good()).status).to.equal(200)
  })
})
