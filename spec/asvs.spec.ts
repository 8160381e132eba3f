import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import express from 'express'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { createSessions, loginRouter, RedisStore, requireSession, type Sessions } from '../lib/index.js'
import type { Phone } from '../sandbox/index.js'
import { weappErrorOf } from './support/failures.js'
import { keptLog } from './support/log-lines.js'
import { freshPrefix } from './support/redis-client.js'
import { sharedRedis } from './support/shared-redis.js'
import { openTestBed, type TestBed } from './support/test-bed.js'

const DAY_MS = 86_400_000
const SECURITY = readFileSync('SECURITY.md', 'utf8')

/**
 * The lines of OWASP ASVS 5.0, V7 (session management) and V9 (self-contained tokens), that apply here, each
 * under its number. SECURITY.md has a row for each, and says why the others do not apply.
 */
describe('OWASP ASVS 5.0', () => {
  let bed: TestBed
  let redis: Redis
  /** Two processes on one Redis, by the clock of the test. */
  let [here, elsewhere]: [Process, Process] = [] as never

  interface Process {
    readonly sessions: Sessions
    readonly http: ReturnType<typeof supertest>
  }

  beforeEach(async () => {
    bed = await openTestBed()
    redis = new Redis((await sharedRedis()).url)
    const prefix = freshPrefix()
    const start = (): Process => {
      const { sandbox, clock } = bed
      const store = new RedisStore(redis, { prefix, clock })
      const options = { apps: sandbox.apps, wechat: { baseUrl: sandbox.url }, logger: keptLog() }
      const sessions = createSessions({ ...options, store, clock })
      const app = express().use(loginRouter({ sessions }))
      app.get('/me', requireSession({ sessions }), (req, res) => res.json({ openid: req.openid }))
      return { sessions, http: supertest(app) }
    }
    ;[here, elsewhere] = [start(), start()]
  })
  afterEach(async () => {
    await Promise.all([here.sessions.close(), elsewhere.sessions.close()])
    redis.disconnect()
    await bed.close()
  })

  async function logIn(phone: Phone = bed.phone, presented?: string): Promise<string> {
    const { code } = await phone.wx.login()
    const request = here.http.post('/login').send({ code })
    if (presented !== undefined) request.set('x-3rd-session', presented)
    return (await request.expect(200)).body.token
  }

  const seenBy = async ({ http }: Process, token: string) =>
    (await http.get('/me').set('x-3rd-session', token)).status

  /** In both processes. */
  async function expectDead(token: string): Promise<void> {
    expect(await seenBy(elsewhere, token)).to.equal(401)
    expect(await seenBy(here, token)).to.equal(401)
  }

  describe('V7.2 session tokens', () => {
    it('7.2.1 are checked by the back end, with each request', async () => {
      const token = await logIn()
      expect(await seenBy(elsewhere, token)).to.equal(200)
      for (let place = 0; place < token.length; place += 7) {
        const other = token[place] === 'A' ? 'B' : 'A'
        const forged = token.slice(0, place) + other + token.slice(place + 1)
        expect(await seenBy(here, forged)).to.equal(401)
      }
      await elsewhere.sessions.logout(token)
      await expectDead(token)
    })

    it('7.2.2 are made for one session each, out of nothing that anybody else knows', async () => {
      const code = (await bed.phone.wx.login()).code
      const first = await here.sessions.login({ code })
      const second = await logIn()
      expect(second).not.to.equal(first.token)
      const { openid } = bed.phone
      for (const known of [code, openid, bed.sandbox.app.appid, first.session.sessionId])
        expect(first.token.slice(20)).not.to.include(known.slice(0, 12))
    })

    it('7.2.3 are reference tokens of 264 random bits, of which the store keeps a digest', async () => {
      const tokens: string[] = []
      for (let logins = 0; logins < 40; logins += 1) tokens.push(await logIn())
      const secrets = tokens.map((token) => token.slice(20))
      expect(new Set(secrets)).to.have.property('size', tokens.length)
      for (const secret of secrets) expect(secret).to.match(/^[\w-]{44}$/)
      // Each of the 44 places takes many values: none is a counter, a time or a constant.
      for (let place = 0; place < 44; place += 1)
        expect(new Set(secrets.map((secret) => secret[place])).size).to.be.above(12)
      const kept = await Promise.all((await redis.keys('*')).map(async (key) => key + (await redis.get(key))))
      for (const secret of secrets) expect(kept.join('\n')).not.to.include(secret)
    })

    it('7.2.4 are new with each login, and the one that came along ends', async () => {
      const before = await logIn()
      const after = await logIn(bed.phone, before)
      expect(after).not.to.equal(before)
      await expectDead(before)
      expect(await seenBy(elsewhere, after)).to.equal(200)
    })
  })

  describe('V7.3 timeouts', () => {
    it('7.3.1 end a session that nobody uses', async () => {
      const [used, unused] = [await logIn(), await logIn(bed.sandbox.phone())]
      const { idleExpiresAt } = await here.sessions.authenticate(unused)
      const idleMs = idleExpiresAt.getTime() - bed.clock()
      bed.clock.advance(idleMs / 2)
      expect(await seenBy(elsewhere, used)).to.equal(200)
      bed.clock.advance(idleMs / 2)
      await expectDead(unused)
      expect(await seenBy(elsewhere, used)).to.equal(200)
    })

    it('7.3.2 end a session however much it is used', async () => {
      const token = await logIn()
      const { expiresAt } = await here.sessions.authenticate(token)
      for (const end = expiresAt.getTime() - 1; bed.clock() < end; ) {
        expect(await seenBy(elsewhere, token)).to.equal(200)
        bed.clock.set(Math.min(end, bed.clock() + DAY_MS))
      }
      expect(await seenBy(here, token)).to.equal(200)
      bed.clock.advance(1)
      await expectDead(token)
    })
  })

  describe('V7.4 the end of a session', () => {
    it('7.4.1 is final: after a logout, and when it has expired', async () => {
      const [left, expired] = [await logIn(), await logIn(bed.sandbox.phone())]
      await here.http.post('/logout').set('x-3rd-session', left).expect(204)
      await expectDead(left)
      bed.clock.advance(31 * DAY_MS)
      await expectDead(expired)
      bed.clock.advance(-31 * DAY_MS)
      expect(await seenBy(here, left)).to.equal(401)
    })

    it('7.4.2 comes to all sessions of a user who is disabled or deleted', async () => {
      const tokens = [await logIn(), await logIn()]
      const others = await logIn(bed.sandbox.phone())
      await here.sessions.revokeUser({ openid: bed.phone.openid })
      for (const token of tokens) await expectDead(token)
      const again = await logIn()
      await here.sessions.forgetUser({ openid: bed.phone.openid })
      await expectDead(again)
      expect(await seenBy(elsewhere, others)).to.equal(200)
    })

    it('7.4.5 comes to one user or to everybody when an operator says so', async () => {
      const [token, others] = [await logIn(), await logIn(bed.sandbox.phone())]
      await here.sessions.revokeUser({ openid: bed.phone.openid })
      await expectDead(token)
      expect(await seenBy(elsewhere, others)).to.equal(200)
      expect(await here.sessions.revokeAll()).to.equal(1)
      await expectDead(others)
    })
  })

  describe('V7.5 step-up', () => {
    it('7.5.2 users see their sessions, and end them', async () => {
      const [own, other] = [await logIn(), await logIn()]
      const { body } = await here.http.get('/sessions').set('x-3rd-session', own).expect(200)
      expect(body.sessions).to.have.length(2)
      for (const token of [own, other]) expect(JSON.stringify(body)).not.to.include(token)
      await here.http.delete('/sessions').set('x-3rd-session', own).expect(204)
      await expectDead(other)
      expect(await seenBy(elsewhere, own)).to.equal(200)
    })
  })

  describe('V7.6 the identity provider', () => {
    it('7.6.1 a login at WeChat is what the age of a session counts from', async () => {
      const token = await logIn()
      bed.clock.advance(60_000)
      await here.sessions.authenticate(token, { maxAgeSeconds: 60 })
      bed.clock.advance(1)
      await weappErrorOf('ERR_LOGIN_TOO_OLD', () =>
        elsewhere.sessions.authenticate(token, { maxAgeSeconds: 60 }),
      )
    })
  })

  it('has a row in SECURITY.md for each test', () => {
    const numbers = [...readFileSync('spec/asvs.spec.ts', 'utf8').matchAll(/it\('(\d+\.\d+\.\d+) /g)]
    for (const [, number] of numbers) expect(SECURITY).to.include(`| ${number} |`)
  })
})
