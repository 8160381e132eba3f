import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest, { type Test } from 'supertest'
import { type ErrorCode, loginRouter, requireSession, wxappProtocol } from '../../lib/index.js'
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

/** What hosts make of a body before anybody has asked for it. */
const leftByHosts: Readonly<Record<string, (json: string) => unknown>> = {
  'a text': (json) => json,
  bytes: (json) => Buffer.from(json),
  'bytes that are part of others': (json) => Buffer.from(`xx${json}xx`).subarray(2, -2),
  'an array of bytes': (json) => new TextEncoder().encode(json),
  'an ArrayBuffer': (json) => new TextEncoder().encode(json).buffer,
  'an object': (json) => JSON.parse(json),
}

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

  for (const [what, parser] of Object.entries({
    bytes: express.raw(everything),
    'a text': express.text(everything),
  })) {
    it(`as ${what} is read as JSON`, async () => {
      const { code } = await bed.phone.wx.login()
      await postBehind(parser)
        .send(` ${JSON.stringify({ code })}\n`)
        .expect(200)
    })

    it(`as ${what} is read as JSON, also when it came compressed`, async () => {
      const { code } = await bed.phone.wx.login()
      const body = gzipSync(JSON.stringify({ code }))
      const post = postBehind(parser).set('content-encoding', 'gzip')
      await post
        .serialize(() => body as unknown as string)
        .send(body)
        .expect(200)
    })

    it(`as ${what} is under the limits of every body`, async () => {
      const nested = `${'{"a":'.repeat(20)}1${'}'.repeat(20)}`
      const bodies: [string, number, ErrorCode][] = [
        [`{"code":"${'x'.repeat(64 * 1024)}"}`, 413, 'ERR_BODY_TOO_LARGE'],
        [' '.repeat(EIGHT_MB), 413, 'ERR_BODY_TOO_LARGE'],
        [nested, 400, 'ERR_BODY_INVALID'],
        ['{"code":"a-code","__proto__":{"admin":true}}', 400, 'ERR_BODY_INVALID'],
        ['{"code":', 400, 'ERR_BODY_INVALID'],
        ['code=a-code', 400, 'ERR_BODY_INVALID'],
      ]
      for (const [body, status, error] of bodies) {
        expectProblem(await postBehind(parser).send(body), status, error)
      }
      expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
    })
  }

  for (const [what, leave] of Object.entries(leftByHosts)) {
    it(`is read where a host has put ${what} on the request and left the stream alone`, async () => {
      const { code } = await bed.phone.wx.login()
      const host: RequestHandler = (req, _res, next) => {
        req.body = leave(JSON.stringify({ code }))
        next()
      }
      await postBehind(host).send('{"code":"of the stream"}').expect(200)
    })
  }

  for (const [what, body] of Object.entries({ 'an empty object': {}, null: null, nothing: undefined })) {
    it(`is not taken for the whole where it is ${what} and the stream is still to be read`, async () => {
      const { code } = await bed.phone.wx.login()
      const parser: RequestHandler = (req, _res, next) => {
        req.body = body
        next()
      }
      await postBehind(parser).send({ code }).expect(200)
    })
  }

  it('is refused where the host throws when it is asked for it', async () => {
    const host: RequestHandler = (req, _res, next) => {
      Object.defineProperty(req, 'body', { get: fail, configurable: true })
      next()
    }
    expectProblem(await postBehind(host).send('{'), 400, 'ERR_BODY_INVALID')
  })

  it('as a form, of JSON that was labelled one, is refused and names the parser in front', async () => {
    const { code } = await bed.phone.wx.login()
    const bodies = [
      JSON.stringify({ code }),
      ` { "code": "${code}" }`,
      JSON.stringify({ code, encryptedData: 'aa+/aa==', iv: 'a&b=' }),
      JSON.stringify({ list: [{ code }], code }),
    ]
    for (const extended of [true, false]) {
      for (const body of bodies) {
        const post = postBehind(express.urlencoded({ extended })).type('form').send(body)
        const { detail } = expectProblem(await post, 400, 'ERR_BODY_INVALID')
        expect(detail).to.include('express.urlencoded').and.include('application/json')
      }
    }
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(0)
  })

  it('carries the token of a protocol that has it in the body, parsed or as bytes or a text', async () => {
    const token = await bed.logIn()
    const asked = { uuid: token.slice(0, 20), skey: token, app_id: 1 }
    const guard = requireSession({ sessions: bed.sessions, protocol: wxappProtocol() })
    for (const parser of [express.json(), express.raw(everything), express.text(everything)]) {
      const app = express().use(parser, guard, (req, res) => res.json({ openid: req.openid }))
      await supertest(app).post('/').send(asked).expect(200, { openid: bed.phone.openid })
      const { body } = await supertest(app).post('/').type('json').send('{}')
      expect(body).to.include({ ok: 'fail' })
    }
  })

  it('is no matter of the guard where the token comes in a header, whatever it is', async () => {
    const token = await bed.logIn()
    const guard = requireSession({ sessions: bed.sessions })
    const app = express().use(express.raw(everything), guard, (req, res) => res.send(req.body))
    for (const body of [Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(100_000)]) {
      const post = supertest(app).post('/').set('x-3rd-session', token).type('image/jpeg')
      const answer = await post.send(body).expect(200)
      expect(answer.body).to.deep.equal(body)
    }
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
