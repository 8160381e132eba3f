import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { type LoginRouterOptions, loginRouter, requireSession } from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { expectProblem } from '../support/problem.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const OWN = 'x-3rd-session'

describe('the routes of a session of one’s own', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed({ app: { sessionDurationSeconds: 7200, loginDurationDays: 1 } })
  })
  afterEach(async () => {
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  it('POST /logout ends the session, answers 204, and does so again', async () => {
    const token = await bed.logIn()
    const first = await bed.http.post('/logout').set(OWN, token).expect(204)
    expect(first.text).to.equal('')
    expectProblem(await bed.me(token), 401, 'ERR_SESSION_UNKNOWN')
    await bed.http.post('/logout').set(OWN, token).expect(204)
  })

  it('POST /logout looks at no body', async () => {
    const token = await bed.logIn()
    const damaged = bed.http.post('/logout').set(OWN, token).set('content-type', 'application/json')
    await damaged.send('{').expect(204)
  })

  it('POST /logout without a token, or with a damaged one, is a 401', async () => {
    expectProblem(await bed.http.post('/logout'), 401, 'ERR_TOKEN_MISSING')
    expectProblem(await bed.http.post('/logout').set(OWN, 'x'), 401, 'ERR_TOKEN_MALFORMED')
  })

  it('GET /session shows times and userInfo, never the openid', async () => {
    const token = await bed.logIn()
    const loggedInAt = bed.clock()
    bed.clock.advance(1000)
    const { body, text } = await bed.http.get('/session').set(OWN, token).expect(200)
    expect(body).to.deep.equal({
      id: body.id,
      createdAt: new Date(loggedInAt).toISOString(),
      lastVisitAt: new Date(loggedInAt).toISOString(),
      expiresAt: new Date(loggedInAt + 86_400_000).toISOString(),
      idleExpiresAt: new Date(loggedInAt + 7_200_000).toISOString(),
      userInfo: null,
    })
    expect(text).not.to.contain(bed.phone.openid).and.not.to.contain(token)
  })

  it('GET /sessions lists the user’s sessions, oldest first, and marks the current one', async () => {
    const first = await bed.logIn()
    bed.clock.advance(10)
    const second = await bed.logIn()
    await bed.logIn(bed.sandbox.phone())
    const { body } = await bed.http.get('/sessions').set(OWN, second).expect(200)
    expect(body.sessions.map((session: { current: boolean }) => session.current)).to.deep.equal([false, true])
    const own = await bed.http.get('/session').set(OWN, first)
    const { userInfo: _userInfo, ...times } = own.body
    expect(body.sessions[0]).to.deep.equal({ ...times, device: null, current: false })
  })

  it('DELETE /sessions/:id ends that session', async () => {
    const [lost, own] = [await bed.logIn(), await bed.logIn()]
    const { body } = await bed.http.get('/session').set(OWN, lost)
    await bed.http.delete(`/sessions/${body.id}`).set(OWN, own).expect(204)
    expectProblem(await bed.me(lost), 401, 'ERR_SESSION_UNKNOWN')
    await bed.me(own).expect(200)
    expectProblem(await bed.http.delete(`/sessions/${body.id}`).set(OWN, own), 404, 'ERR_SESSION_NOT_FOUND')
  })

  it('DELETE /sessions/:id cannot end a session of somebody else', async () => {
    const [others, token] = [await bed.logIn(bed.sandbox.phone()), await bed.logIn()]
    const { body } = await bed.http.get('/session').set(OWN, others)
    for (const id of [body.id, token.slice(0, 20) + body.id.slice(20), body.id.slice(20)]) {
      const attempt = bed.http.delete(`/sessions/${id}`).set(OWN, token)
      expectProblem(await attempt, 404, 'ERR_SESSION_NOT_FOUND')
    }
    await bed.me(others).expect(200)
  })

  it('DELETE /sessions/:id takes anything for an id and finds nothing', async () => {
    const token = await bed.logIn()
    for (const id of ['user', '%00', 'x'.repeat(2000), '*', '..%2f..']) {
      expectProblem(await bed.http.delete(`/sessions/${id}`).set(OWN, token), 404, 'ERR_SESSION_NOT_FOUND')
    }
    await bed.me(token).expect(200)
  })

  it('DELETE /sessions ends all others of the user', async () => {
    const [first, second, own] = [await bed.logIn(), await bed.logIn(), await bed.logIn()]
    const others = await bed.logIn(bed.sandbox.phone())
    await bed.http.delete('/sessions').set(OWN, own).expect(204)
    for (const ended of [first, second]) expectProblem(await bed.me(ended), 401, 'ERR_SESSION_UNKNOWN')
    for (const alive of [own, others]) await bed.me(alive).expect(200)
  })

  it('PUT /session/user-info sets the profile for all sessions of the user at once', async () => {
    const [one, two] = [await bed.logIn(), await bed.logIn()]
    const put = bed.http.put('/session/user-info').set(OWN, one)
    const { body } = await put.send({ userInfo: { nickName: '小明' } }).expect(200)
    expect(body).to.deep.equal({ userInfo: { nickName: '小明', verified: false } })
    expect((await bed.me(two)).body.userInfo).to.deep.equal(body.userInfo)
  })

  it('PUT /session/user-info verifies signed data and decrypts encrypted data', async () => {
    const token = await bed.logIn()
    const { rawData, signature, encryptedData, iv } = await bed.phone.wx.getUserInfo()
    const put = () => bed.http.put('/session/user-info').set(OWN, token)
    const signed = await put().send({ rawData, signature }).expect(200)
    const decrypted = await put().send({ encryptedData, iv }).expect(200)
    expect(signed.body.userInfo).to.deep.equal(decrypted.body.userInfo)
    expect(signed.body.userInfo.verified).to.equal(true)
    expectProblem(await put().send({ rawData: `${rawData} `, signature }), 409, 'ERR_SESSION_KEY_STALE')
  })

  it('PUT /session/user-info changes nothing when the body brings nothing', async () => {
    const token = await bed.logIn()
    const put = () => bed.http.put('/session/user-info').set(OWN, token)
    await put()
      .send({ userInfo: { nickName: 'Ada' } })
      .expect(200)
    expectProblem(await put().send({}), 400, 'ERR_REQUEST_INVALID')
    expectProblem(await put().send({ userInfo: null }), 400, 'ERR_REQUEST_INVALID')
    expect((await bed.me(token)).body.userInfo.nickName).to.equal('Ada')
  })

  it('asks for a session on each of them', async () => {
    for (const [method, path] of [
      ['get', '/session'],
      ['get', '/sessions'],
      ['delete', '/sessions'],
      ['delete', '/sessions/abc'],
      ['put', '/session/user-info'],
    ] as const) {
      expectProblem(await bed.http[method](path).send({ userInfo: {} }), 401, 'ERR_TOKEN_MISSING')
    }
  })

  it('leaves all other paths to the application', async () => {
    await bed.http.get('/elsewhere').expect(404)
  })
})

describe('a mount with options of its own', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed({ apps: 2, maxSessionsPerUser: 4, app: { maxSessionsPerUser: 3 } })
  })
  afterEach(() => bed.close())

  /** The routes below /own, with these options; `/own/me` is behind the same app. */
  function mounted({ maxSessionsPerUser, appid }: LoginRouterOptions) {
    const mount = { sessions: bed.sessions, ...(appid === undefined ? {} : { appid }) }
    const cap = maxSessionsPerUser === undefined ? {} : { maxSessionsPerUser }
    const app = express().use('/own', loginRouter({ ...mount, ...cap }))
    app.get('/own/me', requireSession(mount), (req, res) => res.json({ openid: req.openid }))
    return supertest(app)
  }

  const phoneOf = (index: number) => bed.sandbox.phone({ appid: bed.sandbox.apps[index]?.appid ?? '' })

  it('appid lets its app log in without naming it, and no other', async () => {
    const [own, other] = [phoneOf(1), phoneOf(0)]
    const http = mounted({ appid: own.appid })
    const logIn = async (phone: Phone, fields: object = {}) =>
      http.post('/own/login').send({ code: (await phone.wx.login()).code, ...fields })
    const res = await logIn(own)
    await http.get('/own/me').set(OWN, res.body.token).expect(200, { openid: own.openid })
    expect((await logIn(own, { appid: own.appid })).status).to.equal(200)
    expectProblem(await logIn(other, { appid: other.appid }), 400, 'ERR_APP_UNKNOWN')
    expectProblem(await logIn(own, { appid: 'wx0' }), 400, 'ERR_APP_UNKNOWN')
  })

  it('appid knows no session of another app', async () => {
    const http = mounted({ appid: phoneOf(1).appid })
    const token = await bed.logIn(phoneOf(0))
    for (const path of ['/own/me', '/own/session', '/own/sessions'])
      expectProblem(await http.get(path).set(OWN, token), 401, 'ERR_SESSION_UNKNOWN')
    expectProblem(await http.delete('/own/sessions').set(OWN, token), 401, 'ERR_SESSION_UNKNOWN')
    await bed.me(token).expect(200)
  })

  for (const [what, options, most] of [
    ['maxSessionsPerUser comes before that of the app', { maxSessionsPerUser: 1 }, 1],
    ['without maxSessionsPerUser leaves the cap to the app', {}, 3],
  ] as const) {
    it(what, async () => {
      const http = mounted(options)
      for (let logins = 0; logins < 5; logins += 1) {
        const { code } = await bed.phone.wx.login()
        await http.post('/own/login').send({ code, appid: bed.phone.appid }).expect(200)
      }
      expect(await bed.sessions.list(bed.phone)).to.have.lengthOf(most)
    })
  }

  it('throws a TypeError for a wrong one that says what is allowed', () => {
    const { sessions } = bed
    const wrong: [object, RegExp][] = [
      [
        { sessions, maxSessionsPerUser: 0 },
        /^loginRouter: maxSessionsPerUser must be an integer from 1 to 1000/,
      ],
      [{ sessions, maxSessionsPerUser: 1001 }, /^loginRouter: maxSessionsPerUser .* not 1001$/],
      [{ sessions, appid: '' }, /^loginRouter: appid must be a non-empty string/],
      [{ sessions, appid: 1 }, /^loginRouter: appid must be a non-empty string, not 1$/],
    ]
    for (const [options, message] of wrong) expect(() => loginRouter(options)).to.throw(TypeError, message)
    expect(() => requireSession({ sessions, appid: '' })).to.throw(TypeError, /^requireSession: appid/)
    expect(() => requireSession({ sessions, maxSessionsPerUser: 1 } as object)).to.throw(
      TypeError,
      'unknown option "maxSessionsPerUser"',
    )
  })
})
