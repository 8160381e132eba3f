import { expect } from 'chai'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { describe, it } from 'mocha'
import supertest from 'supertest'
import { asyncHandler, problemHandler, requireSession, WeappError } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'
import { openTestBed } from '../support/test-bed.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

describe('asyncHandler', () => {
  const answerBug: ErrorRequestHandler = (error, _req, res, _next) => {
    res.status(500).json({ name: error.name, cause: String(error.cause) })
  }
  const get = (handler: RequestHandler) =>
    supertest(express().get('/', handler, problemHandler(), answerBug)).get('/')

  it('hands what is thrown to next, whether at once or later, and nothing is left without a handler', async () => {
    const refuse = () => {
      throw new WeappError('ERR_DATA_MALFORMED', 'It is malformed.')
    }
    const reasons = await unhandledRejectionsDuring(async () => {
      for (const handler of [refuse, async () => refuse()]) {
        expectProblem(await get(asyncHandler(handler)), 400, 'ERR_DATA_MALFORMED')
      }
    })
    expect(reasons).to.deep.equal([])
  })

  it('hands on an Error where something else was thrown, as next takes nothing for "go on"', async () => {
    for (const thrown of [undefined, null, 'route', 0]) {
      const answer = await get(asyncHandler(() => Promise.reject(thrown))).expect(500)
      expect(answer.body).to.deep.equal({ name: 'Error', cause: String(thrown) })
    }
  })

  it('leaves an answer, and a call of next, as they are', async () => {
    await get(asyncHandler(async (_req, res) => res.json({ done: true }))).expect(200, { done: true })
    const app = express().get(
      '/',
      asyncHandler(async (_req, _res, next) => next()),
      (_req, res) => void res.json({ next: true }),
    )
    await supertest(app).get('/').expect(200, { next: true })
  })

  it('keeps the process alive when the route of the documents gets nothing that can be decrypted', async () => {
    const bed = await openTestBed()
    const token = await bed.logIn()
    const steps = asyncHandler(async (req, res) => {
      const { stepInfoList } = await req.weapp.decrypt(req.body, { as: 'weRun', maxAgeSeconds: 300 })
      res.json({ days: stepInfoList.length })
    })
    const app = express()
      .post('/steps', requireSession({ sessions: bed.sessions }), express.json(), steps)
      .use(problemHandler())
    const reasons = await unhandledRejectionsDuring(async () => {
      for (const body of ['{}', '{"iv":"AAAA"}', undefined]) {
        const post = supertest(app).post('/steps').set('x-3rd-session', token).type('json').send(body)
        const { body: problem } = await post.expect(400)
        expect(problem.code).to.be.oneOf(['ERR_DATA_MALFORMED', 'ERR_REQUEST_INVALID'])
      }
    })
    expect(reasons).to.deep.equal([])
    await bed.close()
  })
})
