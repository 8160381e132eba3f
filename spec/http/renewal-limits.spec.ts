import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import supertest from 'supertest'
import type { LoginLimitOptions, LoginRefusedEvent } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

const APPS = ['wx1111111111111111', 'wx2222222222222222'] as const

describe('the limits of logins, where sessions of several apps are renewed,', () => {
  let bed: TestBed
  let server: Server
  let http: TestBed['http']
  let refused: LoginRefusedEvent[]

  async function open(limit: LoginLimitOptions): Promise<void> {
    refused = []
    bed = await openTestBed({ apps: 2, limit, onLoginRefused: (event) => void refused.push(event) })
    bed.app.set('trust proxy', 1)
    server = bed.app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    http = supertest(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  }
  afterEach(async () => {
    server.close()
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  const phoneOf = (appid: string) => bed.sandbox.phone({ appid })
  const reached = () => bed.sandbox.callCount(EXCHANGE)
  let invented = 0
  const badCode = () => `invented${++invented}`
  const renewal = (token: string, body: object, address = '203.0.113.7') =>
    http
      .post('/session/renewal')
      .set('x-3rd-session', token)
      .set('x-forwarded-for', address)
      .send({ code: badCode(), ...body })

  it('count a renewal as a login, by address', async () => {
    await open({ perAddress: 5 })
    const token = await bed.logIn(phoneOf(APPS[0]))
    const before = reached()
    for (let times = 0; times < 9; times += 1) await renewal(token, {})
    expect(reached() - before).to.equal(5)
    expectProblem(await renewal(token, {}), 429, 'ERR_LOGIN_LIMIT')
    const login = http.post('/login').set('x-forwarded-for', '203.0.113.7')
    expectProblem(await login.send({ code: badCode(), appid: APPS[1] }), 429, 'ERR_LOGIN_LIMIT')
    await bed.me(token).expect(200)
  })

  it('count no renewal that succeeds', async () => {
    await open({ perAddress: 2, perApp: 2 })
    const phone = phoneOf(APPS[0])
    let token = await bed.logIn(phone)
    for (let times = 0; times < 6; times += 1) {
      const { code } = await phone.wx.login()
      token = (await renewal(token, { code }).expect(200)).body.token
      await new Promise(setImmediate)
    }
  })

  for (const [what, body] of [
    ['names no app', {}],
    ['names another app', { appid: APPS[1] }],
    ['names an app that is not there', { appid: 'wx0' }],
  ] as const) {
    it(`count a renewal that ${what} for the app of its session`, async () => {
      await open({ perApp: 5 })
      const token = await bed.logIn(phoneOf(APPS[0]))
      const before = reached()
      for (let times = 0; times < 12; times += 1) await renewal(token, body, `198.51.100.${times}`)
      expect(reached() - before).to.equal(5)
      expect(new Set(refused.map(({ appid }) => appid))).to.deep.equal(new Set([APPS[0]]))
      const { code } = await phoneOf(APPS[1]).wx.login()
      await http.post('/login').send({ code, appid: APPS[1] }).expect(200)
    })
  }

  it('let a lost renewal be repeated, which need not name the app', async () => {
    await open({ perApp: 2 })
    const phone = phoneOf(APPS[0])
    const token = await bed.logIn(phone)
    const body = { code: (await phone.wx.login()).code, nonce: 'n'.repeat(16) }
    const first = await renewal(token, body).expect(200)
    const again = await renewal(token, body).expect(200)
    expect(again.body.token).to.equal(first.body.token)
  })

  it('let nothing through to WeChat under a token of no app', async () => {
    await open({ perApp: 1 })
    const token = await bed.logIn(phoneOf(APPS[0]))
    const before = reached()
    for (const odd of [`AAAA${token.slice(4)}`, 'x', '']) {
      expect((await renewal(odd, { appid: APPS[0] })).status).to.equal(401)
    }
    expect(reached()).to.equal(before)
  })
})
