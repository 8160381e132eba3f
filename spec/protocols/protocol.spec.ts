import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { loginRouter, type Protocol, requireSession, route, type WireRequest } from '../../lib/index.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

/* A protocol of somebody else: the code in a header, failures as 200 with a number. */
const ownProtocol: Protocol = {
  name: 'own',
  readToken: (request: WireRequest) => request.headers['x-own']?.[0],
  writeError: (error) => ({ status: 200, body: { ok: 0, why: error.code } }),
  routes: [
    route({
      method: 'get',
      path: '/enter',
      read: (request) => ({ code: request.headers['x-code']?.[0] ?? '' }),
      run: (sessions, login) => sessions.login(login),
      write: ({ token }) => ({ status: 200, headers: { 'x-own': token }, body: { ok: 1 } }),
    }),
  ],
}

describe('a protocol of one’s own', () => {
  let bed: TestBed
  let http: ReturnType<typeof supertest>

  beforeEach(async () => {
    bed = await openTestBed()
    const mount = { sessions: bed.sessions, protocol: ownProtocol }
    const app = express().use('/own', loginRouter(mount))
    app.get('/me', requireSession(mount), (req, res) => res.json({ openid: req.openid }))
    http = supertest(app)
  })
  afterEach(() => bed.close())

  it('says where a request carries the code and the token, and how it is answered', async () => {
    const { code } = await bed.phone.wx.login()
    const res = await http.get('/own/enter').set('x-code', code).expect(200, { ok: 1 })
    await http
      .get('/me')
      .set('x-own', res.headers['x-own'] ?? '')
      .expect(200, { openid: bed.phone.openid })
  })

  it('says how a failure and a missing session are answered', async () => {
    await http.get('/own/enter').set('x-code', 'wrong').expect(200, { ok: 0, why: 'ERR_CODE_INVALID' })
    await http.get('/me').expect(200, { ok: 0, why: 'ERR_TOKEN_MISSING' })
  })

  it('mounts its own routes alone', async () => {
    await http.post('/own/login').expect(404)
  })

  it('opens a session that is valid under every other protocol too', async () => {
    const { code } = await bed.phone.wx.login()
    const res = await http.get('/own/enter').set('x-code', code)
    await bed.me(res.headers['x-own'] ?? '').expect(200)
  })
})
