import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { after, before, describe, it } from 'mocha'
import { requireSession } from '../../lib/index.js'
import { openRawServer, type RawAnswer, type RawServer } from '../support/raw-http.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

/** What every plain object has, so that a look-up by a stranger's word may find it. */
const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__']

describe('a hostile header', () => {
  let bed: TestBed
  let server: RawServer
  let token: string
  const bugs: unknown[] = []

  before(async () => {
    bed = await openTestBed()
    token = await bed.logIn()
    server = await openRawServer(appWithGuards(bed, bugs))
  })
  after(async () => {
    await server.close()
    await bed.close()
    expect([...bed.bugs, ...bugs]).to.deep.equal([])
    expect(Object.keys(Object.prototype)).to.deep.equal([])
  })

  for (const name of NAMES) {
    const twice = [`${name}: x`, `${name}: y`]

    it(`${name} changes nothing for who is logged in`, async () => {
      const res = await server.ask(['GET /me HTTP/1.1', `x-3rd-session: ${token}`, ...twice])
      expect(res.status).to.equal(200)
      expect(JSON.parse(res.body).openid).to.equal(bed.phone.openid)
    })

    it(`${name} changes nothing for who is not`, async () => {
      expectRefusal(await server.ask(['GET /me HTTP/1.1', ...twice]), 401, 'ERR_TOKEN_MISSING')
      expectRefusal(await server.ask(['POST /logout HTTP/1.1', ...twice]), 401, 'ERR_TOKEN_MISSING')
    })

    it(`${name} changes nothing for a login`, async () => {
      const { code } = await bed.phone.wx.login()
      const res = await server.ask(['POST /login HTTP/1.1', ...twice], JSON.stringify({ code }))
      expect(res.status, res.body).to.equal(200)
    })

    it(`${name} carries the token where the guard reads it there, and is missing where it is not sent`, async () => {
      const path = `/guarded-by/${name}`
      const good = await server.ask([`GET ${path} HTTP/1.1`, `${name}: ${token}`])
      expect(good.status, good.body).to.equal(200)
      expectRefusal(await server.ask([`GET ${path} HTTP/1.1`]), 401, 'ERR_TOKEN_MISSING')
      expectRefusal(await server.ask([`GET ${path} HTTP/1.1`, ...twice]), 401, 'ERR_TOKEN_MALFORMED')
    })

    it(`${name} does the same on a host that makes requests up`, async () => {
      const path = `/made-up/guarded-by/${name}`
      const good = await server.ask([`GET ${path} HTTP/1.1`, `${name}: ${token}`])
      expect(good.status, good.body).to.equal(200)
      expectRefusal(await server.ask([`GET ${path} HTTP/1.1`]), 401, 'ERR_TOKEN_MISSING')
    })

    it(`is no worse as ${name} in the query or in the path`, async () => {
      const query = `${name}=x&${name}=y&${name}[a]=b&a[${name}][b]=c`
      const own = `x-3rd-session: ${token}`
      const me = await server.ask([`GET /me?${query} HTTP/1.1`, own])
      expect(me.status, me.body).to.equal(200)
      const ended = await server.ask([`DELETE /sessions/${name}?${query} HTTP/1.1`, own])
      expectRefusal(ended, 404, 'ERR_SESSION_NOT_FOUND')
    })
  }

  it('is no worse as a path that cannot be decoded', async () => {
    for (const id of ['%zz', '%', '%E0%A4%A', '%ff']) {
      const res = await server.ask([`DELETE /sessions/${id} HTTP/1.1`, `x-3rd-session: ${token}`])
      expectRefusal(res, 400, 'ERR_REQUEST_INVALID')
    }
  })
})

function appWithGuards({ app: back, sessions }: TestBed, bugs: unknown[]): Express {
  const app = express()
  app.use('/made-up', (req, _res, next) => {
    req.headers = Object.fromEntries(pairs(req.rawHeaders))
    req.rawHeaders = []
    next()
  })
  for (const name of NAMES) {
    const guard = requireSession({ sessions, header: name })
    app.get([`/guarded-by/${name}`, `/made-up/guarded-by/${name}`], guard, (_req, res) => res.end())
  }
  app.use(back)
  const keepBug: ErrorRequestHandler = (error, _req, res, _next) => {
    bugs.push(error)
    res.status(500).end()
  }
  return app.use(keepBug)
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  return raw.flatMap((name, index) =>
    index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1] ?? ''] as [string, string]] : [],
  )
}

function expectRefusal(res: RawAnswer, status: number, code: string): void {
  expect(res.status, res.body).to.equal(status)
  expect(JSON.parse(res.body).code).to.equal(code)
  expect(res.body).not.to.contain('    at ')
}
