import { expect } from 'chai'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest, { type Test } from 'supertest'
import { type ErrorCode, loginRouter } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

const EIGHT_MB = 8 * 1024 * 1024
const everything = { limit: '20mb', type: () => true }
const list = (length: number) => `[${'0,'.repeat(length - 1)}0]`

class Form {
  readonly code: string
  constructor(code: string) {
    this.code = code
  }
}

/** What a parser leaves that makes more of a body than JSON holds. */
const refused: [what: string, body: (code: string) => unknown, status: number, error: ErrorCode][] = [
  ['bytes within', (code) => ({ code, file: new Uint8Array(EIGHT_MB) }), 400, 'ERR_BODY_INVALID'],
  ['a view of bytes', () => new DataView(new ArrayBuffer(8)), 400, 'ERR_BODY_INVALID'],
  ['a getter that throws', getterThatThrows, 400, 'ERR_BODY_INVALID'],
  ['a cycle', cycle, 400, 'ERR_BODY_INVALID'],
  ['a cycle in every place of a list', listOfItself, 400, 'ERR_BODY_INVALID'],
  ['a list with holes', (code) => ({ code, list: new Array(2 ** 32 - 1) }), 413, 'ERR_BODY_TOO_LARGE'],
  ['a map', (code) => new Map([['code', code]]), 400, 'ERR_REQUEST_INVALID'],
  ['a symbol', () => Symbol('code'), 400, 'ERR_BODY_INVALID'],
]

const accepted: [what: string, body: (code: string) => unknown][] = [
  ['an instance of a class', (code) => new Form(code)],
  ['an object without a prototype', (code) => Object.assign(Object.create(null), { code })],
  ['a toJSON that throws', (code) => ({ code, toJSON: fail })],
  ['a date, a function and a big number', (code) => ({ code, at: new Date(Number.NaN), fail, size: 1n })],
]

describe('a body that another parser has left', () => {
  let bed: TestBed
  const bugs: unknown[] = []

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(async () => {
    await bed.close()
    expect(bugs).to.deep.equal([])
  })

  function postBehind(parser: RequestHandler): Test {
    const keepBug: ErrorRequestHandler = (error, _req, res, _next) => {
      bugs.push(error)
      res.status(500).end()
    }
    const app = express().use(parser, loginRouter({ sessions: bed.sessions }), keepBug)
    return supertest(app).post('/login').set('content-type', 'application/json')
  }

  function postLeaving(body: unknown): Test {
    return postBehind((req, _res, next) => {
      req.resume().on('end', () => {
        req.body = body
        next()
      })
    }).send('{}')
  }

  it('as bytes or as a text is refused, however long', async () => {
    for (const parser of [express.raw(everything), express.text(everything)]) {
      for (const body of ['{"code":"a-code"}', ' '.repeat(EIGHT_MB)]) {
        expectProblem(await postBehind(parser).send(body), 400, 'ERR_BODY_INVALID')
      }
    }
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
  })

  it('is too large with more values than 64 KB can hold', async () => {
    const values = list(300_000)
    const names = `{${Array.from({ length: 50_000 }, (_, index) => `"${index}":0`)}}`
    const lists = `[${Array.from({ length: 1000 }, () => list(1000))}]`
    for (const data of [values, names, lists]) {
      const post = postBehind(express.json(everything)).send(`{"code":"a-code","data":${data}}`)
      expectProblem(await post, 413, 'ERR_BODY_TOO_LARGE')
    }
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
  })

  it('is not too large with as many values as 64 KB can hold, whoever has parsed it', async () => {
    const most = list(32_767)
    expect(most).to.have.lengthOf(64 * 1024 - 1)
    expectProblem(await bed.http.post('/login').send(most), 400, 'ERR_BODY_INVALID')
    expectProblem(await postBehind(express.json(everything)).send(most), 400, 'ERR_BODY_INVALID')
    const oneMore = list(32_768)
    expectProblem(await postBehind(express.json(everything)).send(oneMore), 413, 'ERR_BODY_TOO_LARGE')
  })

  it('as a form is read like JSON', async () => {
    const { code } = await bed.phone.wx.login()
    const form = postBehind(express.urlencoded({ extended: true })).type('form')
    await form.send({ code }).expect(200)
  })

  for (const [what, body, status, error] of refused) {
    it(`is refused with ${what}`, async () => {
      const { code } = await bed.phone.wx.login()
      expectProblem(await postLeaving(body(code)), status, error)
      expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
    })
  }

  for (const [what, body] of accepted) {
    it(`logs in with ${what}`, async () => {
      const { code } = await bed.phone.wx.login()
      await postLeaving(body(code)).expect(200)
    })
  }
})

function fail(): never {
  throw new Error('a word that is not to be asked for')
}

function getterThatThrows(): object {
  return Object.defineProperty({}, 'code', { enumerable: true, get: fail })
}

function cycle(code: string): object {
  const body: Record<string, unknown> = { code }
  body.self = body
  return body
}

function listOfItself(code: string): object {
  const list: unknown[] = []
  for (let index = 0; index < 1000; index += 1) list.push(list)
  return { code, list }
}
