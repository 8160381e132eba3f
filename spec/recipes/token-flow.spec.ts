import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { tokenFlow } from '../../docs/recipes/token-flow.js'
import { openUsers, type Users } from '../../example-app/users.js'
import { loginRouter, MemoryStore, requireSession } from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { testClock } from '../support/clock.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const HOUR = 3_600_000
const NO_CODE = { status: 1, msg: '缺少参数' }
const BAD_CODE = { status: 2, msg: '无效的 code' }
const LOG_IN_AGAIN = { status: 3, msg: '请重新登录' }
const TRY_LATER = { status: 4, msg: '服务繁忙，请稍后再试' }
const REFUSED = { status: 5, msg: '请求被拒绝' }

describe('P4 token flow', () => {
  let store: WatchedStore
  let users: Users
  let bed: TestBed
  let http: ReturnType<typeof supertest>

  beforeEach(async () => {
    const clock = testClock()
    store = watchStore(new MemoryStore({ clock }))
    users = openUsers(':memory:')
    bed = await openTestBed({
      clock,
      store,
      onLogin: users.onLogin,
      app: { loginDurationDays: 1, sessionDurationSeconds: 6 * 3600 },
    })
    const mount = { sessions: bed.sessions, protocol: tokenFlow }
    const app = express().use(loginRouter(mount))
    app.get('/orders/', requireSession(mount), (req, res) => {
      const { openid, userInfo, weapp } = req
      res.json({ openid, user: users.of({ appid: weapp.appid, openid, userInfo }) })
    })
    http = supertest(app)
  })

  afterEach(async () => {
    await bed.close()
    users.close()
  })

  const send = (body: object | string) => http.post('/login/').type('json').send(body)
  const orders = (token: string) => http.get('/orders/').set('token', token)

  async function logIn(phone: Phone = bed.phone): Promise<string> {
    const { code } = await phone.wx.login()
    const { body } = await send({ code }).expect(200)
    return (body as { data: { token: string } }).data.token
  }

  it('answers a login with status, msg and the token, and nothing else', async () => {
    const { code } = await bed.phone.wx.login()
    const { status, body } = await send({ code })
    const { token } = (body as { data: { token: string } }).data
    expect({ status, body }).to.deep.equal({
      status: 200,
      body: { status: 0, msg: 'ok', data: { token } },
    })
    expect(token).to.match(/^[\w-]{64}$/)
  })

  it('logs in without the slash too, and gives a repeated code the same token', async () => {
    const { code } = await bed.phone.wx.login()
    const first = await http.post('/login').send({ code }).expect(200)
    await send({ code }).expect(200, first.body)
  })

  it('lets the phone in by the header "token" alone', async () => {
    const token = await logIn()
    const { body } = await orders(token).expect(200)
    expect(body.openid).to.equal(bed.phone.openid)
    await http.get('/orders/').query({ token }).expect(401, LOG_IN_AGAIN)
    await http.get('/orders/').set('x-3rd-session', token).expect(401, LOG_IN_AGAIN)
  })

  it('makes the row of the user at the first login, and keeps it at the next', async () => {
    const first = await orders(await logIn()).expect(200)
    expect(first.body.user).to.deep.equal({ id: 1, nick_name: null, avatar_url: null, logins: 1 })
    const second = await orders(await logIn()).expect(200)
    expect(second.body.user).to.deep.equal({ ...first.body.user, logins: 2 })
    const other = await orders(await logIn(bed.sandbox.phone())).expect(200)
    expect(other.body.user).to.include({ id: 2, logins: 1 })
  })

  it('answers "缺少参数" when there is no code', async () => {
    const bodies = ['', '{}', '[]', 'null', '"text"', '{"code":null}', '{"code":""}', '{"code":', 'code=abc']
    for (const body of bodies) await send(body).expect(200, NO_CODE)
    await http.post('/login/').expect(200, NO_CODE)
  })

  it('answers "无效的 code" when the code is bad, and asks WeChat only for what may be one', async () => {
    const { code } = await bed.phone.wx.login()
    bed.sandbox.clearCalls()
    const codes = [['a', 'b'], [code], { a: 1 }, 7, true, 'x'.repeat(10_240), 'a\u0000b', 'a\r\nb: c', ' ']
    for (const bad of codes) await send({ code: bad }).expect(200, BAD_CODE)
    await send({ code: 'the code is a mock one' }).expect(200, BAD_CODE)
    expect(bed.sandbox.callCount('/sns/jscode2session')).to.equal(0)
    await send({ code: 'never-issued' }).expect(200, BAD_CODE)
  })

  it('answers a missing, wrong or doubled token in the same shape, with HTTP 401', async () => {
    const token = await logIn()
    await http.get('/orders/').expect(401, LOG_IN_AGAIN)
    const wrong = ['', 'x', 'x'.repeat(10_240), `${token.slice(0, -2)}__`, `${token}, ${token}`]
    for (const bad of wrong) await orders(bad).expect(401, LOG_IN_AGAIN)
    const twice = http.get('/orders/') as supertest.Test & {
      set(name: string, values: string[]): supertest.Test
    }
    await twice.set('token', [token, token]).expect(401, LOG_IN_AGAIN)
  })

  it('ends a session that was idle for too long, and lets the phone log in again', async () => {
    const token = await logIn()
    bed.clock.advance(6 * HOUR)
    await orders(token).expect(401, LOG_IN_AGAIN)
    await orders(await logIn()).expect(200)
  })

  it('ends a session some time after its login, however busy it is', async () => {
    const token = await logIn()
    for (const _visit of [1, 2, 3, 4]) {
      bed.clock.advance(5 * HOUR)
      await orders(token).expect(200)
    }
    bed.clock.advance(4 * HOUR)
    await orders(token).expect(401, LOG_IN_AGAIN)
  })

  it('does not tell the client to log in again when Redis or WeChat is down', async () => {
    const token = await logIn()
    store.before = () => Promise.reject(new Error('down'))
    const res = await orders(token).expect(503, TRY_LATER)
    expect(res.headers['retry-after']).to.equal('1')
    store.before = () => undefined
    await orders(token).expect(200)

    const { code } = await bed.phone.wx.login()
    bed.sandbox.misbehave({ errcode: 45011 }, { times: 1 })
    await send({ code }).expect(429, TRY_LATER)
  })

  it('answers every other failure in the same shape', async () => {
    bed.sandbox.misbehave({ errcode: 40226 }, { times: 1 })
    const { code } = await bed.phone.wx.login()
    await send({ code }).expect(403, REFUSED)
    await send({ code: 'x'.repeat(100_000) }).expect(413, REFUSED)
  })

  it('opens a session that the native routes know as well', async () => {
    await bed.me(await logIn()).expect(200)
    await orders(await bed.logIn()).expect(200)
  })
})
