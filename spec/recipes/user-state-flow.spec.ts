import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { userStateFlow } from '../../docs/recipes/user-state-flow.js'
import { openUsers, type Users } from '../../example-app/users.js'
import { loginRouter, MemoryStore, requireSession } from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { testClock } from '../support/clock.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const HOUR = 3_600_000
const PROFILE = { nickName: '小明 + 100%', avatarUrl: 'https://img.example.com/1?a=b&c=d', gender: 1 }
const MISSING = { error: 'ERR_TOKEN_MISSING' }
const UNKNOWN = { error: 'ERR_SESSION_UNKNOWN' }
const MALFORMED = { error: 'ERR_TOKEN_MALFORMED' }
const INVALID = { error: 'ERR_REQUEST_INVALID' }

describe('P5 user-state flow', () => {
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
    const mount = { sessions: bed.sessions, protocol: userStateFlow }
    const app = express().use(loginRouter({ ...mount, maxSessionsPerUser: 1 }))
    app.get('/state', requireSession(mount), (req, res) => {
      const { openid, userInfo, weapp } = req
      res.json({ openid, userInfo, user: users.of({ appid: weapp.appid, openid, userInfo }) })
    })
    http = supertest(app)
  })

  afterEach(async () => {
    await bed.close()
    users.close()
  })

  const state = (uuid: string) => http.get('/state').set('user-uuid', uuid)

  async function logIn(phone: Phone = bed.phone, userInfo: object = PROFILE): Promise<string> {
    const { code } = await phone.wx.login()
    const query = { code, userInfo: JSON.stringify(userInfo) }
    const { body } = await http.get('/login').query(query).expect(200)
    return (body as { user_uuid: string }).user_uuid
  }

  it('answers a login with the user_uuid, and nothing else', async () => {
    const { code } = await bed.phone.wx.login()
    const { status, headers, body } = await http
      .get('/login')
      .query({ code, userInfo: JSON.stringify(PROFILE) })
    const { user_uuid } = body as { user_uuid: string }
    expect({ status, body }).to.deep.equal({ status: 200, body: { user_uuid } })
    expect(user_uuid).to.match(/^[\w-]{64}$/)
    expect(headers['cache-control']).to.equal('no-store')
  })

  it('lets the phone in by the header "user-uuid", never by the query', async () => {
    const uuid = await logIn()
    const { body } = await state(uuid).expect(200)
    expect(body.openid).to.equal(bed.phone.openid)
    await http.get('/state').query({ user_uuid: uuid, 'user-uuid': uuid }).expect(401, MISSING)
  })

  it('keeps the userInfo as unverified, and the old one where none comes', async () => {
    const { body } = await state(await logIn()).expect(200)
    expect(body.userInfo).to.deep.equal({ ...PROFILE, verified: false })
    for (const extra of [{}, { userInfo: '' }, { userInfo: 'null' }]) {
      const { code } = await bed.phone.wx.login()
      const login = await http
        .get('/login')
        .query({ code, ...extra })
        .expect(200)
      const next = await state(login.body.user_uuid).expect(200)
      expect(next.body.userInfo).to.deep.equal({ ...PROFILE, verified: false })
    }
  })

  it('makes the row of the user at the first login, and keeps it at the next', async () => {
    const first = await state(await logIn()).expect(200)
    const row = { id: 1, nick_name: PROFILE.nickName, avatar_url: PROFILE.avatarUrl, logins: 1 }
    expect(first.body.user).to.deep.equal(row)
    const second = await state(await logIn(bed.phone, { nickName: '小红' })).expect(200)
    expect(second.body.user).to.deep.equal({ ...row, nick_name: '小红', logins: 2 })
    const other = await state(await logIn(bed.sandbox.phone())).expect(200)
    expect(other.body.user).to.include({ id: 2, logins: 1 })
  })

  it('ends the old session of a user with the next login, on any phone, and nobody else’s', async () => {
    const stranger = await logIn(bed.sandbox.phone())
    const old = await logIn()
    const next = await logIn(bed.sandbox.phone({ user: bed.phone.user }))
    expect(next).not.to.equal(old)
    await state(old).expect(401, UNKNOWN)
    await state(next).expect(200)
    await state(stranger).expect(200)
  })

  it('refuses a code that is none, without asking WeChat', async () => {
    const queries = [
      '',
      'code=',
      'code=a&code=b',
      'code[]=a&code[]=b',
      'code[a]=b',
      `code=${'x'.repeat(10_240)}`,
      'code=a%00b',
      'code=a%0d%0ab',
      'code=%20',
    ]
    for (const query of queries) await http.get(`/login?${query}`).expect(400, INVALID)
    expect(bed.sandbox.callCount('/sns/jscode2session')).to.equal(0)
    expect((await http.get('/login?code=%E0%A4%A')).status).to.be.oneOf([400, 401])
    await http.get('/login?code=never-issued').expect(401, { error: 'ERR_CODE_INVALID' })
    await http.get('/login').query({ code: 'the code is a mock one' }).expect(400, { error: 'ERR_CODE_MOCK' })
  })

  it('refuses a userInfo that is broken, and leaves the code unused', async () => {
    const { code } = await bed.phone.wx.login()
    for (const userInfo of ['{', 'nickName', '[object Object]', '{"nickName":"a', 'undefined']) {
      await http.get('/login').query({ code, userInfo }).expect(400, { error: 'ERR_DATA_MALFORMED' })
    }
    const texts = ['7', '[]', '"a"', '{"a":{"b":1}}', '{"a\\u0000b":"c"}', '{"a":1e999}']
    for (const userInfo of texts) await http.get('/login').query({ code, userInfo }).expect(400, INVALID)
    await http.get(`/login?code=${code}&userInfo={}&userInfo={}`).expect(400, INVALID)
    await http.get('/login').query({ code }).expect(200)
  })

  it('takes no identity from the userInfo', async () => {
    const uuid = await logIn(bed.phone, { ...PROFILE, openId: 'somebody', verified: true })
    const { body } = await state(uuid).expect(200)
    expect(body.openid).to.equal(bed.phone.openid)
    expect(body.userInfo).to.deep.equal({ ...PROFILE, verified: false })
  })

  it('answers a missing, wrong or doubled user_uuid with { error } and HTTP 401', async () => {
    const uuid = await logIn()
    await http.get('/state').expect(401, MISSING)
    await state('').expect(401, MISSING)
    for (const bad of ['x', 'x'.repeat(10_240), `${uuid}, ${uuid}`]) await state(bad).expect(401, MALFORMED)
    await state(`${uuid.slice(0, -2)}__`).expect(401, UNKNOWN)
    const twice = http.get('/state') as supertest.Test & {
      set(name: string, values: string[]): supertest.Test
    }
    await twice.set('user-uuid', [uuid, uuid]).expect(401, MALFORMED)
  })

  it('ends a session that was idle for too long, and lets the phone log in again', async () => {
    const uuid = await logIn()
    bed.clock.advance(6 * HOUR)
    await state(uuid).expect(401, UNKNOWN)
    await state(await logIn()).expect(200)
  })

  it('ends a session some time after its login, however busy it is', async () => {
    const uuid = await logIn()
    for (const _visit of [1, 2, 3, 4]) {
      bed.clock.advance(5 * HOUR)
      await state(uuid).expect(200)
    }
    bed.clock.advance(4 * HOUR)
    await state(uuid).expect(401, UNKNOWN)
  })

  it('does not tell the client to log in again when Redis or WeChat is down', async () => {
    const uuid = await logIn()
    store.before = () => Promise.reject(new Error('down'))
    const res = await state(uuid).expect(503, { error: 'ERR_STORE_UNAVAILABLE' })
    expect(res.headers['retry-after']).to.equal('1')
    store.before = () => undefined
    await state(uuid).expect(200)

    const { code } = await bed.phone.wx.login()
    bed.sandbox.misbehave({ errcode: 45011 }, { times: 1 })
    await http.get('/login').query({ code }).expect(429, { error: 'ERR_WECHAT_RATE_LIMITED' })
  })

  it('opens a session that the native routes know as well', async () => {
    await bed.me(await logIn()).expect(200)
    await state(await bed.logIn()).expect(200)
  })
})
