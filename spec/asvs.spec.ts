import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { forged, keyPair, pemOf } from './service-tokens/forge.js'
import {
  AUDIENCE,
  ISSUER,
  type KeyServer,
  openTokenBed,
  startKeyServer,
  type TokenBed,
} from './service-tokens/token-bed.js'
import { weappErrorOf } from './support/failures.js'
import { expectProblem } from './support/problem.js'
import type { TestBed } from './support/test-bed.js'
import { OWN_HEADER, openTwoProcesses, type TwoProcesses } from './support/two-processes.js'

const DAY_MS = 86_400_000

/** What is needed here of the client's own specs, which are compiled with the types of a phone. */
interface LaunchedApp extends TestBed {
  readonly asked: string[]
  start(): { request(options: { url: string }): Promise<unknown> }
}

/**
 * The lines of OWASP ASVS 5.0, V7 (session management) and V9 (self-contained tokens), that apply here, each
 * under its number. SECURITY.md has a row for each, and says why the others do not apply.
 */
describe('OWASP ASVS 5.0, V7', () => {
  let bed: TwoProcesses

  beforeEach(async () => {
    bed = await openTwoProcesses()
  })
  afterEach(async () => {
    expect(bed.bugs).to.deep.equal([])
    await bed.close()
  })

  const ids = async (token: string) => (await bed.here.sessions.authenticate(token)).sessionId
  const own = (token: string) => ({ [OWN_HEADER]: token })

  describe('V7.1 what is written down', () => {
    const LIFETIMES = [
      [
        'docs/production.md',
        /\| absolute \| (\d+) days.*\n\| idle \| (\d+) days/,
        /has at most (\d+) sessions/,
      ],
      [
        'docs/production.zh-CN.md',
        /\| 绝对有效期 \|.*?(\d+) 天.*\n\| 空闲有效期 \|.*?(\d+) 天/,
        /最多.*?(\d+) 个会话/,
      ],
    ] as const

    it('7.1.1 the two lifetimes are those of a login', async () => {
      const session = await bed.here.sessions.authenticate(await bed.logIn())
      const ends = [session.expiresAt, session.idleExpiresAt]
      const days = ends.map((end) => String((end.getTime() - bed.clock()) / DAY_MS))
      for (const [path, lifetimes] of LIFETIMES)
        expect(lifetimes.exec(readFileSync(path, 'utf8'))?.slice(1), path).to.deep.equal(days)
    })

    it('7.1.2 how many sessions a user has at once, and what one more does', async () => {
      for (const [path, , most] of LIFETIMES) {
        const sessions = Number(most.exec(readFileSync(path, 'utf8'))?.[1])
        const user = bed.sandbox.phone()
        const oldest = await bed.logIn(user)
        for (let logins = 1; logins < sessions; logins += 1) await bed.logIn(user)
        await bed.expectAlive(oldest)
        await bed.logIn(user)
        await bed.expectDead(oldest)
        expect(await bed.here.sessions.list(user)).to.have.length(sessions)
      }
      const refusing = bed.start({ maxSessionsPerUser: 1, onLimit: 'refuse' })
      const { code } = await bed.phone.wx.login()
      await refusing.sessions.login({ code })
      const next = await bed.phone.wx.login()
      await weappErrorOf('ERR_SESSION_LIMIT', () => refusing.sessions.login({ code: next.code }))
    })

    it('7.1.3 WeChat identifies the user, and neither side ends what the other has', async () => {
      for (const path of ['docs/production.md', 'docs/production.zh-CN.md'])
        expect(readFileSync(path, 'utf8'), path).to.match(/\*\*(WeChat\.|微信。)\*\*/)
      const token = await bed.logIn()
      // A login that never comes here: WeChat has another session_key from now on.
      await bed.phone.wx.login()
      await bed.expectAlive(token)
      await bed.here.sessions.logout(token)
      await bed.expectAlive(await bed.logIn())
    })
  })

  describe('V7.2 session tokens', () => {
    it('7.2.1 are checked by the back end, with each request', async () => {
      const token = await bed.logIn()
      await bed.expectAlive(token)
      for (let place = 0; place < token.length; place += 7) {
        const other = token[place] === 'A' ? 'B' : 'A'
        const made = token.slice(0, place) + other + token.slice(place + 1)
        expect(await bed.statusOf(bed.here, made)).to.equal(401)
      }
      await bed.elsewhere.sessions.logout(token)
      await bed.expectDead(token)
    })

    it('7.2.2 are made for one session each, out of nothing that anybody else knows', async () => {
      const { code } = await bed.phone.wx.login()
      const first = await bed.here.sessions.login({ code })
      expect(await bed.logIn()).not.to.equal(first.token)
      for (const known of [code, bed.phone.openid, bed.sandbox.app.appid, first.session.sessionId])
        expect(first.token.slice(20)).not.to.include(known.slice(-12))
    })

    it('7.2.3 are reference tokens of 264 random bits, of which the store keeps a digest', async () => {
      const secrets: string[] = []
      for (let logins = 0; logins < 40; logins += 1) secrets.push((await bed.logIn()).slice(20))
      expect(new Set(secrets)).to.have.property('size', secrets.length)
      for (const secret of secrets) expect(secret).to.match(/^[\w-]{44}$/)
      // Each of the 44 places takes many values: none is a counter, a time or a constant.
      for (let place = 0; place < 44; place += 1)
        expect(new Set(secrets.map((secret) => secret[place])).size).to.be.above(12)
      const kept = await bed.dump()
      expect(kept).to.include(bed.phone.openid)
      for (const secret of secrets) expect(kept).not.to.include(secret)
    })

    it('7.2.4 are new with each login, renewal and rotation, and the one of before ends', async () => {
      const first = await bed.logIn()
      const second = await bed.logIn(bed.phone, first)
      await bed.expectDead(first)
      const { code } = await bed.phone.wx.login()
      const renewal = bed.here.http.post('/session/renewal').set(own(second))
      const third = (await renewal.send({ code }).expect(200)).body.token
      await bed.expectDead(second)
      const { token: fourth } = await bed.elsewhere.sessions.rotate(
        await bed.here.sessions.authenticate(third),
      )
      await bed.expectDead(third)
      await bed.expectAlive(fourth)
      expect(new Set([first, second, third, fourth])).to.have.property('size', 4)
    })
  })

  describe('V7.3 timeouts', () => {
    it('7.3.1 end a session that nobody uses', async () => {
      const [used, unused] = [await bed.logIn(), await bed.logIn(bed.sandbox.phone())]
      const { idleExpiresAt } = await bed.here.sessions.authenticate(unused)
      const idleMs = idleExpiresAt.getTime() - bed.clock()
      bed.clock.advance(idleMs / 2)
      await bed.expectAlive(used)
      bed.clock.advance(idleMs / 2)
      await bed.expectDead(unused)
      await bed.expectAlive(used)
    })

    it('7.3.2 end a session however much it is used', async () => {
      const token = await bed.logIn()
      const { expiresAt } = await bed.here.sessions.authenticate(token)
      for (const end = expiresAt.getTime() - 1; bed.clock() < end; ) {
        await bed.expectAlive(token)
        bed.clock.set(Math.min(end, bed.clock() + DAY_MS))
      }
      await bed.expectAlive(token)
      bed.clock.advance(1)
      await bed.expectDead(token)
    })
  })

  describe('V7.4 the end of a session', () => {
    it('7.4.1 is final: after a logout, and when it has expired', async () => {
      const [left, expired] = [await bed.logIn(), await bed.logIn(bed.sandbox.phone())]
      await bed.expectAlive(left, expired)
      await bed.here.http.post('/logout').set(own(left)).expect(204)
      await bed.expectDead(left)
      bed.clock.advance(31 * DAY_MS)
      await bed.expectDead(expired)
      bed.clock.advance(-31 * DAY_MS)
      await bed.expectDead(left)
    })

    it('7.4.2 comes to all sessions of a user who is disabled or deleted', async () => {
      const tokens = [await bed.logIn(), await bed.logIn()]
      const others = await bed.logIn(bed.sandbox.phone())
      await bed.here.sessions.revokeUser({ openid: bed.phone.openid })
      await bed.expectDead(...tokens)
      const again = await bed.logIn()
      await bed.here.sessions.forgetUser({ openid: bed.phone.openid })
      await bed.expectDead(again)
      await bed.expectAlive(others)
    })

    it('7.4.3 comes to the others when what a login proves has changed, and to the token of before', async () => {
      const [token, other] = [await bed.logIn(), await bed.logIn()]
      const rotated = await bed.here.sessions.rotate(await bed.here.sessions.authenticate(token))
      await bed.expectAlive(other)
      const { openid } = bed.phone
      await bed.here.sessions.revokeUser({ openid }, { exceptSessionId: rotated.session.sessionId })
      await bed.expectDead(token, other)
      await bed.expectAlive(rotated.token)
    })

    it('7.4.5 comes to one session, one user, one app or everybody when an operator says so', async () => {
      const user = { appid: bed.phone.appid, openid: bed.phone.openid }
      const ada = { 'x-operator': 'ada' }
      const ask = (path: string, body: object) => bed.here.http.post(`/admin${path}`).set(ada).send(body)
      const [one, two] = [await bed.logIn(), await bed.logIn()]
      const others = await bed.logIn(bed.sandbox.phone())
      const end = bed.here.http.delete(`/admin/sessions/${await ids(one)}`)
      await end.set(ada).expect(204)
      await bed.expectDead(one)
      await bed.expectAlive(two, others)
      await ask('/users/revoke', user).expect(200)
      await bed.expectDead(two)
      await bed.expectAlive(others)
      await ask('/apps/revoke', { appid: user.appid }).expect(200)
      await bed.expectDead(others)
      const last = await bed.logIn()
      expectProblem(await bed.here.http.post('/admin/everybody/revoke'), 403, 'ERR_NOT_AUTHORIZED')
      await bed.expectAlive(last)
      await ask('/everybody/revoke', { everybody: true }).expect(200)
      await bed.expectDead(last)
    })
  })

  describe('V7.5 a further check', () => {
    it('7.5.1 precedes a change of what identifies a user, where a route asks for it', async () => {
      const token = await bed.logIn()
      const change = () => bed.elsewhere.http.put('/phone-number').set(own(token))
      bed.clock.advance(60_000)
      await change().expect(200)
      bed.clock.advance(1)
      expectProblem(await change(), 401, 'ERR_LOGIN_TOO_OLD')
      await bed.expectAlive(token)
    })

    it('7.5.2 precedes the end of other sessions, which users see without it', async () => {
      const [token, other] = [await bed.logIn(), await bed.logIn()]
      const endOthers = (by: string) => bed.here.http.delete('/sessions').set(own(by))
      bed.clock.advance(600_001)
      const { body } = await bed.here.http.get('/sessions').set(own(token)).expect(200)
      expect(body.sessions).to.have.length(2)
      for (const secret of [token, other]) expect(JSON.stringify(body)).not.to.include(secret)
      for (const path of ['/sessions', `/sessions/${await ids(other)}`])
        expectProblem(await bed.here.http.delete(path).set(own(token)), 401, 'ERR_LOGIN_TOO_OLD')
      await bed.expectAlive(token, other)

      const { code } = await bed.phone.wx.login()
      const renewal = bed.here.http.post('/session/renewal').set(own(token))
      const renewed = (await renewal.send({ code }).expect(200)).body.token
      await endOthers(renewed).expect(204)
      await bed.expectDead(other)
      await bed.expectAlive(renewed)
    })

    it('7.5.3 is an act of the user, where a route asks for that', async () => {
      const [token, other] = [await bed.logIn(), await bed.logIn()]
      const pay = (by: string) => bed.elsewhere.http.post('/payment').set(own(by))
      expectProblem(await pay(token), 403, 'ERR_CONFIRMATION_REQUIRED')
      const { code: phoneCode } = await bed.phone.getPhoneNumber()
      await bed.here.http.post('/session/confirmation').set(own(token)).send({ phoneCode }).expect(200)
      await pay(token).expect(200)
      expectProblem(await pay(other), 403, 'ERR_CONFIRMATION_REQUIRED')
      bed.clock.advance(60_001)
      expectProblem(await pay(token), 403, 'ERR_CONFIRMATION_REQUIRED')
    })
  })

  describe('V7.6 the identity provider', () => {
    it('7.6.1 a login at WeChat is what the age of a session counts from', async () => {
      const token = await bed.logIn()
      const isFresh = (by: string) => bed.elsewhere.sessions.authenticate(by, { maxAgeSeconds: 60 })
      bed.clock.advance(60_000)
      await isFresh(token)
      bed.clock.advance(DAY_MS)
      await bed.expectAlive(token)
      await weappErrorOf('ERR_LOGIN_TOO_OLD', () => isFresh(token))
      const { token: rotated } = await bed.here.sessions.rotate(await bed.here.sessions.authenticate(token))
      await weappErrorOf('ERR_LOGIN_TOO_OLD', () => isFresh(rotated))
      const { code } = await bed.phone.wx.login()
      const renewed = await bed.here.sessions.renew({ token: rotated, code })
      await isFresh(renewed.token)
    })

    it('7.6.2 a session begins with the first call that needs it, and not with the launch', async () => {
      const clientBed = './client/client-bed.js'
      const { openClientBed } = (await import(clientBed)) as { openClientBed(): Promise<LaunchedApp> }
      const phone = await openClientBed()
      const client = phone.start()
      expect([phone.asked, phone.sandbox.callCount('/sandbox/login')]).to.deep.equal([[], 0])
      await client.request({ url: '/me' })
      expect(phone.asked).to.deep.equal(['POST /login', 'GET /me'])
      await phone.close()
    })
  })
})

describe('OWASP ASVS 5.0, V9', () => {
  const KEY = keyPair()
  const PUBLIC = createPublicKey(KEY)
  const KID = { kid: 'k' }
  let bed: TokenBed
  let server: KeyServer
  let header: Record<string, unknown>
  let claims: Record<string, unknown>
  let session: string

  /** What a service makes of a token. */
  const ask = (token: string, own: object = { keys: [{ key: PUBLIC, ...KID }] }) =>
    supertest(bed.service(own)).get('/').set('Authorization', `Bearer ${token}`)

  async function expectRefused(token: string, own?: object): Promise<void> {
    expectProblem(await ask(token, own), 401, 'ERR_SERVICE_TOKEN_INVALID')
  }

  beforeEach(async () => {
    ;[bed, server] = await Promise.all([openTokenBed(), startKeyServer()])
    session = await bed.logIn()
    const good = await bed.tokenFrom(bed.issuer({ keys: [{ key: KEY, ...KID }] }), session)
    ;[header, claims] = good
      .split('.', 2)
      .map((text) => JSON.parse(Buffer.from(text, 'base64url').toString())) as [typeof header, typeof claims]
    await ask(good).expect(200)
    await ask(forged(header, claims, KEY)).expect(200)
  })
  afterEach(async () => {
    expect(bed.bugs).to.deep.equal([])
    await Promise.all([bed.close(), server.close()])
  })

  describe('V9.1 the signature', () => {
    it('9.1.1 is checked before anything that the token says', async () => {
      const token = forged(header, claims, KEY)
      const [head = '', , signature = ''] = token.split('.')
      const changed = forged(header, { ...claims, openid: 'somebody else' }).split('.')[1]
      await expectRefused(`${head}.${changed}.${signature}`)
      await expectRefused(`${token.slice(0, -8)}AAAAAAAA`)
      await expectRefused(`${head}.${changed}.`)
      bed.log.length = 0
      await expectRefused(forged(header, { ...claims, aud: 'stock', exp: 0 }, keyPair()))
      expect(bed.log).to.deep.equal(['a service token is refused: its signature is wrong'])
    })

    it('9.1.2 is of the one algorithm of its key, and never none', async () => {
      for (const alg of ['none', 'None', 'NONE', '']) await expectRefused(forged({ ...header, alg }, claims))
      // The public key, which everybody has, as the secret of an HMAC.
      for (const secret of [pemOf(PUBLIC), PUBLIC.export({ format: 'der', type: 'spki' })])
        await expectRefused(forged({ ...header, alg: 'HS256' }, claims, secret))
      for (const alg of ['RS256', 'EdDSA', 'ES384'])
        await expectRefused(forged({ ...header, alg }, claims, KEY))
    })

    it('9.1.3 is of a key of the service, whatever the token names', async () => {
      const attacker = keyPair()
      const jwk = createPublicKey(attacker).export({ format: 'jwk' })
      server.answer = (_req, res) => void res.end(JSON.stringify({ keys: [{ ...jwk, ...KID }] }))
      const named = [
        { jku: server.url },
        { x5u: server.url },
        { jwk },
        { x5c: ['MIIB'] },
        { kid: server.url },
      ]
      for (const more of named) {
        await expectRefused(forged({ ...header, ...more }, claims, attacker))
        await expectRefused(forged({ ...header, ...more }, claims, KEY))
      }
      expect(server.requests).to.equal(0)
    })
  })

  describe('V9.2 what it says', () => {
    it('9.2.1 is taken within its time only, which is minutes, and never beyond its session', async () => {
      const token = forged(header, claims, KEY)
      const { iat, exp } = claims as { iat: number; exp: number }
      expect(exp - iat).to.equal(300)
      bed.clock.set((exp + 5) * 1000 - 1)
      await ask(token).expect(200)
      bed.clock.advance(1)
      await expectRefused(token)
      bed.clock.set(iat * 1000)
      await expectRefused(forged(header, { ...claims, nbf: iat + 6 }, KEY))
      await expectRefused(forged(header, { ...claims, exp: undefined }, KEY))
      const short = await openTokenBed({ app: { loginDurationDays: 100 / 86_400 } })
      const late = await short.tokenFrom(short.issuer(), await short.logIn())
      const said = JSON.parse(Buffer.from(late.split('.')[1] ?? '', 'base64url').toString())
      expect(said.exp - said.iat).to.equal(100)
      await short.close()
    })

    it('9.2.2 is a service token, and no token is taken for one of the other kind', async () => {
      for (const typ of ['JWT', 'at+jwt', undefined, 5])
        await expectRefused(forged({ ...header, typ }, claims, KEY))
      await expectRefused(session)
      for (const status of [await bed.me(forged(header, claims, KEY))].map((res) => res.status))
        expect(status).to.equal(401)
    })

    it('9.2.3 is for the audience of the service', async () => {
      for (const aud of ['stock', undefined, '', [AUDIENCE], [AUDIENCE, 'stock']])
        await expectRefused(forged(header, { ...claims, aud }, KEY))
      await expectRefused(forged(header, { ...claims, iss: `${ISSUER}/` }, KEY))
    })

    it('9.2.4 is for one audience, out of the list of the issuer', async () => {
      const issuer = bed.issuer({ audiences: [AUDIENCE, 'stock'], keys: [{ key: KEY, ...KID }] })
      const audienceOf = (token: string) =>
        JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).aud
      expect(audienceOf(await bed.tokenFrom(issuer, session, { audience: 'stock' }))).to.equal('stock')
      await expectRefused(await bed.tokenFrom(issuer, session, { audience: 'stock' }))
      for (const audience of ['billing', [AUDIENCE, 'stock'], '*', ''])
        expect(
          (await issuer.post('/token').set('x-3rd-session', session).send({ audience })).status,
        ).to.equal(400)
    })
  })
})

describe('SECURITY.md', () => {
  const tested = [...readFileSync('spec/asvs.spec.ts', 'utf8').matchAll(/it\('(\d\.\d\.\d) /g)].map(
    ([, n]) => n,
  )

  for (const path of ['SECURITY.md', 'SECURITY.zh-CN.md'])
    it(`has a row for each line of ASVS, and one that is met has a test (${path})`, () => {
      const rows = [...readFileSync(path, 'utf8').matchAll(/^\| (\d\.\d\.\d) \| \d \| (\S+) \|/gm)]
      expect(rows).to.have.length(26)
      const ours = rows.filter(([, , met]) => met !== 'yours' && met !== '由你')
      expect(ours.map(([, number]) => number)).to.deep.equal(tested)
    })
})
