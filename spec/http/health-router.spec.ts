import { expect } from 'chai'
import express, { type Express } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { healthRouter, MemoryStore, type Sessions } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const UP = { isReady: true, isClosing: false, store: 'up', wechat: 'up' }

describe('the health router', () => {
  let bed: TestBed
  let app: Express
  let isStoreUp: boolean

  beforeEach(async () => {
    isStoreUp = true
    const ping = async () => {
      if (!isStoreUp) throw new Error('redis://:a-planted-password@10.0.0.1:6379 is down')
    }
    bed = await openTestBed({ store: Object.assign(new MemoryStore(), { ping }) })
    app = express()
    app.use('/internal', healthRouter({ sessions: bed.sessions }))
    app.get('/internal/other', (_req, res) => void res.json({ isOther: true }))
  })
  afterEach(() => bed.close())

  const get = (path: string) => supertest(app).get(`/internal${path}`)

  it('answers 200 to both while all is well, and no cache stores it', async () => {
    const alive = await get('/healthz').expect(200, { isAlive: true })
    const ready = await get('/readyz').expect(200, UP)
    for (const { headers } of [alive, ready]) {
      expect(headers['cache-control']).to.equal('no-store')
      expect(headers['content-type']).to.match(/^application\/json/)
    }
    await supertest(app).head('/internal/readyz').expect(200)
  })

  it('is alive and not ready while the store fails, and says nothing of why', async () => {
    isStoreUp = false
    const { text, headers } = await get('/readyz').expect(503)
    expect(JSON.parse(text)).to.deep.equal({ ...UP, isReady: false, store: 'down' })
    expect(headers['cache-control']).to.equal('no-store')
    await get('/healthz').expect(200, { isAlive: true })
    expect(bed.log.join('\n')).not.to.contain('planted')
  })

  it('is alive and not ready once the sessions are closing, and after that', async () => {
    const closed = bed.sessions.close()
    const closing = { isReady: false, isClosing: true, store: 'unknown', wechat: 'up' }
    await get('/readyz').expect(503, closing)
    await closed
    await get('/readyz').expect(503, closing)
    await get('/healthz').expect(200)
  })

  it('lets other paths through, and names the methods of its own', async () => {
    await get('/other').expect(200)
    for (const path of ['/healthz', '/readyz']) {
      const answer = await supertest(app).post(`/internal${path}`)
      expectProblem(answer, 405, 'ERR_METHOD_NOT_ALLOWED')
      expect(answer.headers.allow).to.equal('GET, HEAD')
    }
  })

  it('hands a bug of sessions of your own to the application, on Express 4 too', async () => {
    const own = { health: () => Promise.reject(new RangeError('a bug')) } as unknown as Sessions
    const hostApp = express().use(healthRouter({ sessions: own }))
    const errors: unknown[] = []
    hostApp.use(((error, _req, res, _next) => {
      errors.push(error)
      res.status(500).end()
    }) satisfies express.ErrorRequestHandler)
    await supertest(hostApp).get('/readyz').expect(500)
    expect(errors[0]).to.be.instanceOf(RangeError)
  })

  it('refuses wrong options', () => {
    expect(() => healthRouter({ session: bed.sessions } as never)).to.throw(
      TypeError,
      'healthRouter: unknown option "session"; known: sessions',
    )
    expect(() => healthRouter({ sessions: {} as never })).to.throw(
      TypeError,
      'healthRouter: sessions must be what createSessions() returns; it has no method "health"',
    )
  })
})
