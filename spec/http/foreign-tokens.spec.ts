import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { type LoginRouterOptions, loginRouter, nativeProtocol, requireSession } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJnYXRld2F5In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U'
/** Tokens of gateways and other services. */
const FOREIGN: [what: string, token: string][] = [
  ['a JWT', JWT],
  ['a short text', 'secret'],
  ['32 bytes in hexadecimal', '0123456789abcdef'.repeat(4)],
  ['32 bytes in base64', randomBytes(32).toString('base64')],
  ['a UUID', '123e4567-e89b-42d3-a456-426614174000'],
  ['nothing', ''],
]

describe('a token of somebody else in Authorization', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(async () => {
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  /** Every route of the router, and a guarded and an optional one, with a foreign token on each request. */
  function mounted(options: Pick<LoginRouterOptions, 'bearer' | 'header' | 'protocol'> = {}) {
    const { sessions } = bed
    const app = express().use(loginRouter({ sessions, ...options }))
    app.get('/me', requireSession({ sessions, ...options }), (req, res) => res.json({ openid: req.openid }))
    app.get('/page', requireSession({ sessions, ...options, optional: true }), (req, res) =>
      res.json({ openid: req.openid ?? null }),
    )
    return app
  }

  for (const [what, foreign] of FOREIGN) {
    const authorization = `Bearer ${foreign}`

    it(`is passed over beside a good one in the own header: ${what}`, async () => {
      const http = supertest(mounted())
      const headers = { 'x-3rd-session': await bed.logIn(), authorization }
      await http.get('/me').set(headers).expect(200, { openid: bed.phone.openid })
      await http.get('/page').set(headers).expect(200, { openid: bed.phone.openid })
      await http.get('/session').set(headers).expect(200)
      await http.get('/sessions').set(headers).expect(200)
      await http.post('/logout').set(headers).expect(204)
      expectProblem(await http.get('/me').set(headers), 401, 'ERR_SESSION_UNKNOWN')
    })

    it(`is no token where there is no other: ${what}`, async () => {
      const http = supertest(mounted())
      await http.get('/page').set({ authorization }).expect(200, { openid: null })
      expectProblem(await http.get('/me').set({ authorization }), 401, 'ERR_TOKEN_MISSING')
    })

    it(`keeps no login from ending the session before: ${what}`, async () => {
      const token = await bed.logIn()
      const { code } = await bed.phone.wx.login()
      const headers = { 'x-3rd-session': token, authorization }
      await supertest(mounted()).post('/login').set(headers).send({ code }).expect(200)
      await bed.me(token).expect(401)
    })
  }

  it('is one token too many where it may be ours', async () => {
    const [one, two] = [await bed.logIn(), await bed.logIn()]
    const both = bed.me(one).set('Authorization', `Bearer ${two}`)
    expectProblem(await both, 401, 'ERR_TOKEN_MALFORMED')
  })

  it('is not read at all with bearer: false', async () => {
    const [one, two] = [await bed.logIn(), await bed.logIn()]
    for (const options of [
      { bearer: false },
      { bearer: false, header: 'x-3rd-session' },
      { protocol: nativeProtocol('x-3rd-session', { bearer: false }) },
    ]) {
      const http = supertest(mounted(options))
      const authorization = `Bearer ${two}`
      await http.get('/me').set({ 'x-3rd-session': one, authorization }).expect(200)
      expectProblem(await http.get('/session').set({ authorization }), 401, 'ERR_TOKEN_MISSING')
      await http.get('/page').set({ authorization }).expect(200, { openid: null })
    }
  })

  it('is an option of the native protocol, true or false', () => {
    const { sessions } = bed
    for (const mount of [loginRouter, requireSession]) {
      expect(() => mount({ sessions, bearer: 'no' as never })).to.throw(
        TypeError,
        /bearer must be true or false/,
      )
      expect(() => mount({ sessions, bearer: true, protocol: nativeProtocol() })).to.throw(
        TypeError,
        /bearer belongs to the native protocol/,
      )
    }
  })
})
