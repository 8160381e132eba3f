import { expect } from 'chai'
import express, { type ErrorRequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { loginRouter, type Protocol, requireSession, route, type WireRequest } from '../../lib/index.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

/* A protocol of somebody else: the code in a header, failures as 200 with a number. */
const ownProtocol: Protocol = {
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

describe('a route of a protocol', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  const failing = (writeError?: Protocol['writeError']) => (path: string) =>
    route({
      method: 'get',
      path,
      read: () => undefined,
      run: async (sessions) => sessions.authenticate(undefined),
      write: () => ({ status: 204 }),
      ...(writeError && { writeError }),
    })
  const withRoutes = (...routes: Protocol['routes']) =>
    supertest(express().use(loginRouter({ sessions: bed.sessions, protocol: { ...ownProtocol, routes } })))

  it('words its failures itself where it says how, and leaves the others to the protocol', async () => {
    const worded = failing((error) => ({ status: 418, body: { words: error.code } }))('/worded')
    const http = withRoutes(worded, failing()('/plain'))
    await http.get('/worded').expect(418, { words: 'ERR_TOKEN_MISSING' })
    await http.get('/plain').expect(200, { ok: 0, why: 'ERR_TOKEN_MISSING' })
  })

  it('words itself what its body does wrong, too', async () => {
    const http = withRoutes(
      route({
        method: 'post',
        path: '/in',
        body: 'json',
        read: (request) => request.body,
        run: async (_sessions, body) => body,
        write: (body) => ({ status: 200, body }),
        writeError: ({ code, status }) => ({ status, body: { words: code } }),
      }),
    )
    await http.post('/in').send({ a: 1 }).expect(200, { a: 1 })
    const post = () => http.post('/in').set('content-type', 'application/json')
    await post().send('{').expect(400, { words: 'ERR_BODY_INVALID' })
    await post()
      .send(`"${'x'.repeat(65_536)}"`)
      .expect(413, { words: 'ERR_BODY_TOO_LARGE' })
  })

  it('passes bugs on to the application, however it words its failures', async () => {
    const buggy = route({
      method: 'get',
      path: '/bug',
      read: () => undefined,
      run: () => Promise.reject(new RangeError('a bug')),
      write: () => ({ status: 204 }),
      writeError: () => ({ status: 418 }),
    })
    const app = express().use(
      loginRouter({ sessions: bed.sessions, protocol: { ...ownProtocol, routes: [buggy] } }),
    )
    const caught: unknown[] = []
    const keep: ErrorRequestHandler = (error, _req, res, _next) => {
      caught.push(error)
      res.status(500).end()
    }
    await supertest(app.use(keep)).get('/bug').expect(500)
    expect(caught).to.have.lengthOf(1)
    expect(caught[0]).to.be.instanceOf(RangeError)
  })

  it('answers every method where its method is all, and learns which it was', async () => {
    const http = withRoutes(
      route({
        method: 'all',
        path: '/any',
        read: (request) => request.method,
        run: async (_sessions, method) => method,
        write: (method) => ({ status: 200, body: { method } }),
      }),
    )
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const)
      await http[method]('/any').expect(200, { method: method.toUpperCase() })
    await http.get('/other').expect(404)
  })
})

describe('a token in the body', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  const inBody: Protocol = {
    ...ownProtocol,
    readToken: ({ method, body }) => (method === 'POST' ? (body as { token?: string })?.token : undefined),
  }

  it('reaches readToken through requireSession when a parser came before', async () => {
    const app = express().use(express.json(), requireSession({ sessions: bed.sessions, protocol: inBody }))
    const http = supertest(app.use((req, res) => res.json({ openid: req.openid })))
    const token = await bed.logIn()
    await http.post('/').send({ token }).expect(200, { openid: bed.phone.openid })
    await http.put('/').send({ token }).expect(200, { ok: 0, why: 'ERR_TOKEN_MISSING' })
    await http.post('/').send({}).expect(200, { ok: 0, why: 'ERR_TOKEN_MISSING' })
  })

  it('is not there for requireSession when no parser came before', async () => {
    const http = supertest(express().use(requireSession({ sessions: bed.sessions, protocol: inBody })))
    const post = http.post('/').send({ token: await bed.logIn() })
    await post.expect(200, { ok: 0, why: 'ERR_TOKEN_MISSING' })
  })
})
