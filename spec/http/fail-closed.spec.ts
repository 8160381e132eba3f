import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express, { type ErrorRequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import {
  createSessions,
  loginRouter,
  MemoryStore,
  nativeProtocol,
  requireSession,
  type Sessions,
} from '../../lib/index.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

describe('a guard that meets what nobody foresaw', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  /** An app whose guarded route must not be reached, and what its own error handler saw. */
  function guardedBy(...guard: Parameters<typeof requireSession>) {
    const seen: unknown[] = []
    const app = express()
    const keep: ErrorRequestHandler = (error, _req, res, _next) => {
      seen.push(error)
      res.status(500).end()
    }
    app.get('/', requireSession(...guard), (_req, res) => res.send('PASSED'))
    app.get('/', (_req, res) => res.send('PASSED ON'))
    app.use(keep)
    return { http: supertest(app), seen }
  }

  for (const thrown of [undefined, null, 0, '', 'route', 'router', new Error('a bug')]) {
    it(`lets nobody pass when ${String(thrown) || 'an empty text'} is thrown`, async () => {
      const sessions: Sessions = { ...bed.sessions, authenticate: () => Promise.reject(thrown) }
      const { http, seen } = guardedBy({ sessions })
      const res = await http.get('/').set('x-3rd-session', 'A'.repeat(64)).expect(500)
      expect(res.text).to.equal('')
      expect(seen).to.have.lengthOf(1)
      expect(seen[0]).to.be.instanceOf(Error)
    })
  }

  it('answers when a protocol fails to word a failure, and leaves no rejection unhandled', async () => {
    const protocol = {
      ...nativeProtocol(),
      writeError: () => {
        throw new Error('a bug in writeError')
      },
    }
    const { http, seen } = guardedBy({ sessions: bed.sessions, protocol })
    const unhandled = await unhandledRejectionsDuring(async () => {
      await http.get('/').expect(500)
    })
    expect(unhandled).to.deep.equal([])
    expect((seen[0] as Error).message).to.equal('a bug in writeError')
  })

  it('takes the identity of an earlier guard away when a later, optional one finds nobody', async () => {
    const app = express()
    app.use(requireSession({ sessions: bed.sessions }))
    app.use(requireSession({ sessions: bed.sessions, header: 'x-other', optional: true }))
    app.get('/', (req, res) => res.json({ openid: req.openid ?? null, weapp: req.weapp ?? null }))
    const res = await supertest(app)
      .get('/')
      .set('x-3rd-session', await bed.logIn())
    expect(res.body).to.deep.equal({ openid: null, weapp: null })
  })

  it('refuses a session when its greatest age is not a number', async () => {
    const error = await bed.sessions
      .authenticate(await bed.logIn(), { maxAgeSeconds: Number.NaN })
      .catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'ERR_LOGIN_TOO_OLD' })
  })

  it('reads the token on hosts that fill in the headers alone', async () => {
    const token = await bed.logIn()
    const app = express()
    app.use((req, _res, next) => {
      req.headers = { 'x-3rd-session': token }
      req.rawHeaders = []
      next()
    })
    app.get('/', requireSession({ sessions: bed.sessions }), (req, res) => res.json({ openid: req.openid }))
    await supertest(app).get('/').expect(200, { openid: bed.phone.openid })
  })

  it('logs in although the logger fails', async () => {
    const logger = {
      warn: () => {
        throw new Error('log down')
      },
      error: () => {
        throw new Error('log down')
      },
    }
    const parts = { apps: bed.sandbox.apps, store: new MemoryStore(), logger }
    const sessions = createSessions({ ...parts, wechat: { baseUrl: bed.sandbox.url } })
    bed.sandbox.misbehave({ errcode: 45011 }, { times: 1 })
    const http = supertest(express().use(loginRouter({ sessions })))
    await http
      .post('/login')
      .send({ code: (await bed.phone.wx.login()).code })
      .expect(429)
    await http
      .post('/login')
      .send({ code: (await bed.phone.wx.login()).code })
      .expect(200)
    await sessions.close()
  })

  it('closes after the logins under way, and spends no code in vain', async () => {
    const { code } = await bed.phone.wx.login()
    bed.sandbox.misbehave({ slowMs: 100 })
    const login = bed.sessions.login({ code })
    while (bed.sandbox.callCount(EXCHANGE) === 0) await new Promise((resolve) => setImmediate(resolve))
    await bed.sessions.close()
    expect((await login).session.openid).to.equal(bed.phone.openid)
  })

  it('answers 502 to a login when WeChat wants to speak another protocol', async () => {
    const switching = createServer().listen(0, '127.0.0.1')
    switching.on('connection', (socket) => {
      socket.on('data', () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'),
      )
    })
    await new Promise((resolve) => switching.once('listening', resolve))
    const baseUrl = `http://127.0.0.1:${(switching.address() as AddressInfo).port}`
    const sessions = createSessions({ apps: bed.sandbox.apps, store: new MemoryStore(), wechat: { baseUrl } })
    const http = supertest(express().use(loginRouter({ sessions })))
    await http.post('/login').send({ code: 'a-code' }).expect(502)
    await sessions.close()
    switching.closeAllConnections()
    switching.close()
  })
})
