import { METHODS } from 'node:http'
import { expect } from 'chai'
import express, { type Express, Router } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest, { type Response } from 'supertest'
import { tokenFlow } from '../../docs/recipes/token-flow.js'
import { userStateFlow } from '../../docs/recipes/user-state-flow.js'
import { loginRouter, nativeProtocol } from '../../lib/index.js'
import { mountEveryProtocol } from '../support/every-protocol.js'
import { expectProblem } from '../support/problem.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

/** What each path of the native protocol takes. */
const ALLOWED: [path: string, allow: string][] = [
  ['/login', 'POST'],
  ['/logout', 'POST'],
  ['/session', 'GET, HEAD'],
  ['/session/user-info', 'PUT'],
  ['/session/phone-number', 'POST'],
  ['/session/renewal', 'POST'],
  ['/session/confirmation', 'POST'],
  ['/sessions', 'GET, HEAD, DELETE'],
  [`/sessions/${'A'.repeat(24)}`, 'DELETE'],
]
/** All that Node parses, but for those that are answered in another way, or speak to a proxy. */
const OTHERS = METHODS.filter((method) => !['OPTIONS', 'CONNECT', 'HEAD'].includes(method))

describe('a path of the native protocol', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(async () => {
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  const ask = (app: Express, method: string, path: string): Promise<Response> => {
    const { [method.toLowerCase()]: send } = supertest(app) as unknown as Record<
      string,
      (path: string) => Promise<Response>
    >
    return send?.(path) ?? expect.fail(`supertest has no ${method}`)
  }

  it('stands in the table above', () => {
    const paths = nativeProtocol().routes.map(({ path }) => path.replace(':id', 'A'.repeat(24)))
    expect(ALLOWED.map(([path]) => path).sort()).to.deep.equal([...new Set(paths)].sort())
  })

  for (const mount of ['', '/v2'])
    for (const [path, allow] of ALLOWED) {
      it(`says that it takes ${allow} to who comes with another method: ${mount}${path}`, async () => {
        const app = express().use(mount || '/', loginRouter({ sessions: bed.sessions }))
        for (const method of OTHERS.filter((other) => !allow.split(', ').includes(other))) {
          const answer = await ask(app, method, `${mount}${path}?code=a`)
          expectProblem(answer, 405, 'ERR_METHOD_NOT_ALLOWED')
          expect(answer.headers.allow).to.equal(allow)
          expect(answer.body.detail).to.equal(`This path does not support ${method}, only ${allow}.`)
        }
        const head = await ask(app, 'HEAD', `${mount}${path}`)
        expect(head.status).to.equal(allow.includes('HEAD') ? 401 : 405)
        expect(head.text).to.equal(undefined)
        const options = await ask(app, 'OPTIONS', `${mount}${path}`)
        expect([options.status, options.headers.allow, options.text]).to.deep.equal([204, allow, ''])
      })
    }

  it('says so in a router inside another one, and in other letters', async () => {
    const app = express().use('/api', Router().use('/weapp', loginRouter({ sessions: bed.sessions })))
    for (const path of ['/api/weapp/login', '/api/weapp/login/', '/api/weapp/LOGIN'])
      expectProblem(await supertest(app).get(path), 405, 'ERR_METHOD_NOT_ALLOWED')
  })

  it('spends no code that came with another method', async () => {
    const { code } = await bed.phone.wx.login()
    expectProblem(await bed.http.get('/login').query({ code }), 405, 'ERR_METHOD_NOT_ALLOWED')
    expectProblem(await bed.http.put('/login').send({ code }), 405, 'ERR_METHOD_NOT_ALLOWED')
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
    await bed.http.post('/login').send({ code }).expect(200)
  })

  it('is left to routes and CORS middleware of the application in front of it', async () => {
    const app = express()
    app.options('/login', (_req, res) => void res.set('Access-Control-Allow-Origin', '*').status(204).end())
    app.get('/login', (_req, res) => void res.send('a page'))
    app.post('/sessions', (_req, res) => void res.send('a lesson'))
    app.get('/sessions/:id', (req, res) => void res.send(`lesson ${req.params.id}`))
    app.use(loginRouter({ sessions: bed.sessions }))
    const http = supertest(app)
    expect((await http.options('/login')).headers).to.include({ 'access-control-allow-origin': '*' })
    expect((await http.get('/login')).text).to.equal('a page')
    expect((await http.post('/sessions')).text).to.equal('a lesson')
    expect((await http.get('/sessions/7')).text).to.equal('lesson 7')
    const { code } = await bed.phone.wx.login()
    await http.post('/login').send({ code }).expect(200)
  })

  it('takes no other path from the application, behind it either', async () => {
    const app = express().use(loginRouter({ sessions: bed.sessions }))
    app.use((req, res) => void res.send(req.path))
    for (const path of ['/', '/me', '/login/more', '/session/other', '/sessions/a/b', '/loginx'])
      expect((await supertest(app).get(path).expect(200)).text).to.equal(path)
  })

  it('of the older protocols answers as it always has', async () => {
    const app = express()
    mountEveryProtocol(app, bed.sessions)
    const http = supertest(app)
    expect((await http.put('/wafer/login')).status).to.equal(200)
    expect((await http.put('/wafer2/login')).status).to.equal(200)
    expect((await http.put('/mina_auth/')).status).to.equal(200)
    expect((await http.get('/mina/login')).body).to.deep.equal({
      ok: 'fail',
      msg: 'not post method',
      data: {},
    })
  })

  it('of a protocol of the application’s own is refused in its words', async () => {
    const { sessions } = bed
    const app = express()
    app.use('/token', loginRouter({ sessions, protocol: tokenFlow }))
    app.use('/state', loginRouter({ sessions, protocol: userStateFlow }))
    const got = await supertest(app).get('/token/login').expect(405, { status: 5, msg: '请求被拒绝' })
    expect(got.headers.allow).to.equal('POST')
    const posted = await supertest(app).post('/state/login').expect(405, { error: 'ERR_METHOD_NOT_ALLOWED' })
    expect(posted.headers.allow).to.equal('GET, HEAD')
  })
})
