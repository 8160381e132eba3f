import { expect } from 'chai'
import express, { type ErrorRequestHandler } from 'express'
import { describe, it } from 'mocha'
import supertest from 'supertest'
import { problemHandler, WeappError } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'

describe('problemHandler', () => {
  const seen: unknown[] = []
  const last: ErrorRequestHandler = (error, _req, res, _next) => {
    seen.push(error)
    res.status(500).end()
  }
  const app = express()
  app.get('/stale', (_req, _res, next) => next(new WeappError('ERR_SESSION_KEY_STALE', 'Log in again.')))
  app.get('/bug', (_req, _res, next) => next(new RangeError('a bug')))
  app.use(problemHandler(), last)

  it('answers a WeappError of any route as a problem', async () => {
    expectProblem(await supertest(app).get('/stale'), 409, 'ERR_SESSION_KEY_STALE')
  })

  it('leaves every other error to the next handler', async () => {
    await supertest(app).get('/bug').expect(500)
    expect(seen).to.have.lengthOf(1)
    expect(seen[0]).to.be.instanceOf(RangeError)
  })

  it('is not needed for the right status and headers: Express reads them from the error', async () => {
    const plain = express()
    plain.get('/', (_req, _res, next) => next(new WeappError('ERR_STORE_UNAVAILABLE', 'Try again.')))
    plain.set('env', 'test')
    const res = await supertest(plain).get('/').expect(503)
    expect(res.headers['retry-after']).to.equal('1')
  })
})
