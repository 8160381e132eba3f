import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { loginRouter, MemoryStore, nativeProtocol, requireSession } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { expectProblem } from '../support/problem.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const UNKNOWN = 'A'.repeat(64)
const HOUR_MS = 3_600_000

describe('requireSession', () => {
  let bed: TestBed
  let store: WatchedStore

  beforeEach(async () => {
    const clock = testClock()
    store = watchStore(new MemoryStore({ clock }))
    bed = await openTestBed({ clock, store, storeTimeoutMs: 1000, app: { sessionDurationSeconds: 3600 } })
  })
  afterEach(async () => {
    await bed.close()
    expect(bed.bugs).to.deep.equal([])
  })

  it('sets openid, userInfo and weapp', async () => {
    const { body } = await bed.me(await bed.logIn()).expect(200)
    expect(body.openid).to.equal(bed.phone.openid)
    expect(body.userInfo).to.equal(null)
    expect(body.weapp).to.have.all.keys(
      ...['appid', 'unionid', 'sessionId', 'createdAt', 'lastVisitAt', 'expiresAt', 'idleExpiresAt'],
    )
    expect(body.weapp.appid).to.equal(bed.sandbox.app.appid)
    expect(body.weapp.unionid).to.equal(bed.phone.unionid)
  })

  it('keeps the answer out of caches, unless the handler says otherwise', async () => {
    const res = await bed.me(await bed.logIn()).expect(200)
    expect(res.headers['cache-control']).to.equal('no-store')
    const open = express().get('/', requireSession({ sessions: bed.sessions }), (_req, res) => {
      res.set('Cache-Control', 'private, max-age=5').end()
    })
    const own = await supertest(open)
      .get('/')
      .set('x-3rd-session', await bed.logIn())
    expect(own.headers['cache-control']).to.equal('private, max-age=5')
  })

  it('reads Authorization: Bearer as well, in any case', async () => {
    const token = await bed.logIn()
    await bed.http.get('/me').set('Authorization', `Bearer ${token}`).expect(200)
    await bed.http.get('/me').set('Authorization', `bearer ${token}`).expect(200)
  })

  it('accepts the same token in both headers', async () => {
    const token = await bed.logIn()
    await bed.me(token).set('Authorization', `Bearer ${token}`).expect(200)
  })

  it('answers ERR_TOKEN_MISSING without a token, never looking at the query string', async () => {
    const token = await bed.logIn()
    store.calls.length = 0
    for (const path of ['/me', `/me?x-3rd-session=${token}`, `/me?token=${token}&access_token=${token}`]) {
      expectProblem(await bed.http.get(path), 401, 'ERR_TOKEN_MISSING')
    }
    expectProblem(await bed.me(''), 401, 'ERR_TOKEN_MISSING')
    expectProblem(await bed.http.get('/me').set('Authorization', `Basic ${token}`), 401, 'ERR_TOKEN_MISSING')
    expect(store.calls).to.deep.equal([])
  })

  it('answers ERR_TOKEN_MALFORMED for what cannot be a token, without asking the store', async () => {
    const token = await bed.logIn()
    store.calls.length = 0
    const malformed = [
      token.slice(1),
      `${token}A`,
      `${token.slice(1)}=`,
      `${token.slice(1)}+`,
      `${token.slice(1)}é`,
    ]
    for (const text of [...malformed, 'x'.repeat(10_000), '{}', 'undefined', `"${token}"`]) {
      expectProblem(await bed.me(text), 401, 'ERR_TOKEN_MALFORMED')
    }
    expect(store.calls).to.deep.equal([])
  })

  it('answers ERR_TOKEN_MALFORMED for several tokens, without asking the store', async () => {
    const token = await bed.logIn()
    store.calls.length = 0
    const twice = [token, token] as unknown as string
    expectProblem(await bed.http.get('/me').set('x-3rd-session', twice), 401, 'ERR_TOKEN_MALFORMED')
    const different = bed.me(token).set('Authorization', `Bearer ${UNKNOWN}`)
    expectProblem(await different, 401, 'ERR_TOKEN_MALFORMED')
    expect(store.calls).to.deep.equal([])
  })

  it('tells an expired, an ended and an unknown session not apart', async () => {
    const [expired, ended] = [await bed.logIn(), await bed.logIn()]
    await bed.http.post('/logout').set('x-3rd-session', ended).expect(204)
    bed.clock.advance(HOUR_MS)
    const answers = await Promise.all([expired, ended, UNKNOWN].map((token) => bed.me(token)))
    for (const res of answers) expectProblem(res, 401, 'ERR_SESSION_UNKNOWN')
    expect(new Set(answers.map((res) => res.text)).size).to.equal(1)
  })

  it('refuses a token whose handle belongs to another user', async () => {
    const [one, two] = [await bed.logIn(), await bed.logIn(bed.sandbox.phone())]
    expectProblem(await bed.me(two.slice(0, 20) + one.slice(20)), 401, 'ERR_SESSION_UNKNOWN')
  })

  it('answers 503 when the store throws, rejects or hangs, and works again afterwards', async () => {
    const token = await bed.logIn()
    const failures = [
      () => Promise.reject(new Error('down')),
      () => {
        throw new Error('down')
      },
      () => new Promise<void>(() => undefined),
    ]
    for (const failure of failures) {
      store.before = failure
      expectProblem(await bed.me(token), 503, 'ERR_STORE_UNAVAILABLE')
      expectProblem(await bed.http.get('/session').set('x-3rd-session', token), 503, 'ERR_STORE_UNAVAILABLE')
    }
    store.before = () => undefined
    await bed.me(token).expect(200)
    expect(bed.log).to.deep.equal([
      'the session store fails (read): Error',
      'the session store fails (read): no answer within 1000 ms',
      'the session store works again (read)',
    ])
  })

  it('answers 401 to a request in flight whose session is revoked, and does not revive it', async () => {
    const token = await bed.logIn()
    bed.clock.advance(HOUR_MS / 2)
    store.before = async (method) => {
      if (method !== 'touch') return
      store.before = () => undefined
      await bed.sessions.logout(token)
    }
    expectProblem(await bed.me(token), 401, 'ERR_SESSION_UNKNOWN')
    expectProblem(await bed.me(token), 401, 'ERR_SESSION_UNKNOWN')
  })
})

describe('requireSession, by its options', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  function guarded(...guard: Parameters<typeof requireSession>) {
    const app = express().use(requireSession(...guard))
    return supertest(app.use((req, res) => res.json({ openid: req.openid ?? null, userInfo: req.userInfo })))
  }

  it('optional lets a request without a token pass, and no bad token', async () => {
    const http = guarded({ sessions: bed.sessions, optional: true })
    const anonymous = await http.get('/').expect(200)
    expect(anonymous.body).to.deep.equal({ openid: null, userInfo: null })
    const known = await http.get('/').set('x-3rd-session', await bed.logIn())
    expect(known.body.openid).to.equal(bed.phone.openid)
    expectProblem(await http.get('/').set('x-3rd-session', UNKNOWN), 401, 'ERR_SESSION_UNKNOWN')
    expectProblem(await http.get('/').set('x-3rd-session', 'x'), 401, 'ERR_TOKEN_MALFORMED')
  })

  it('maxAgeSeconds asks for a fresh login, to the millisecond', async () => {
    const http = guarded({ sessions: bed.sessions, maxAgeSeconds: 60 })
    const token = await bed.logIn()
    bed.clock.advance(60_000)
    await http.get('/').set('x-3rd-session', token).expect(200)
    bed.clock.advance(1)
    expectProblem(await http.get('/').set('x-3rd-session', token), 401, 'ERR_LOGIN_TOO_OLD')
    await bed.me(token).expect(200)
  })

  it('maxAgeSeconds takes no login for a fresh one because the clock was set back', async () => {
    const http = guarded({ sessions: bed.sessions, maxAgeSeconds: 60 })
    const token = await bed.logIn()
    bed.clock.advance(-3_600_000)
    expectProblem(await http.get('/').set('x-3rd-session', token), 401, 'ERR_LOGIN_TOO_OLD')
    const again = await bed.logIn()
    await http.get('/').set('x-3rd-session', again).expect(200)
  })

  it('header reads the token from another header', async () => {
    const http = guarded({ sessions: bed.sessions, header: 'X-Token' })
    const token = await bed.logIn()
    await http.get('/').set('x-token', token).expect(200)
    expectProblem(await http.get('/').set('x-3rd-session', token), 401, 'ERR_TOKEN_MISSING')
  })

  it('throws a TypeError for a wrong one that says what is allowed', () => {
    const { sessions } = bed
    const wrong: [unknown, RegExp][] = [
      [{ sessions, headers: 'x' }, /unknown option "headers"; known: sessions, header/],
      [{ sessions, header: '' }, /header must be a non-empty string/],
      [{ sessions, header: 'not a header' }, /header must be the name of an HTTP header/],
      [{ sessions, header: 'x', protocol: nativeProtocol() }, /header belongs to the native protocol/],
      [{ sessions, protocol: {} }, /protocol must be a Protocol/],
      [{ sessions, optional: 'yes' }, /optional must be true or false/],
      [{ sessions, maxAgeSeconds: -1 }, /maxAgeSeconds must be a positive number/],
      [{ sessions: {} }, /sessions must be what createSessions\(\) returns/],
      [sessions, /unknown option "apps"/],
      [null, /the options must be an object, not null/],
    ]
    for (const [options, message] of wrong) {
      expect(() => requireSession(options as object)).to.throw(TypeError, message)
    }
    expect(() => loginRouter({ session: sessions } as object)).to.throw(TypeError, /unknown option "session"/)
  })

  it('passes what its handler throws to the application', async () => {
    const app = express().use(requireSession({ sessions: bed.sessions, optional: true }))
    app.use(() => {
      throw new RangeError('a bug of the application')
    })
    const caught: unknown[] = []
    app.use((error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      caught.push(error)
      res.status(500).end()
    })
    await supertest(app).get('/').expect(500)
    expect(caught).to.have.lengthOf(1)
    expect(caught[0]).to.be.instanceOf(RangeError)
  })
})

describe('the two clocks, seen from outside', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed({
      app: { sessionDurationSeconds: 1000, loginDurationDays: 1 / 24 },
      touchShare: 0.1,
    })
  })
  afterEach(() => bed.close())

  for (const [offsetMs, status] of [
    [-1, 200],
    [0, 401],
    [1, 401],
  ] as const) {
    it(`answers ${status} at the idle end ${offsetMs} ms`, async () => {
      const token = await bed.logIn()
      bed.clock.advance(1_000_000 + offsetMs)
      await bed.me(token).expect(status)
    })

    it(`answers ${status} at the absolute end ${offsetMs} ms, however busy the session was`, async () => {
      const token = await bed.logIn()
      for (let visit = 0; visit < 3; visit++) {
        bed.clock.advance(900_000)
        await bed.me(token).expect(200)
      }
      bed.clock.advance(900_000 + offsetMs)
      await bed.me(token).expect(status)
    })
  }

  it('moves the idle end when a tenth of it has passed, not a millisecond before', async () => {
    const [early, due] = [await bed.logIn(), await bed.logIn()]
    bed.clock.advance(99_999)
    await bed.me(early).expect(200)
    bed.clock.advance(1)
    await bed.me(due).expect(200)
    bed.clock.advance(900_000)
    await bed.me(early).expect(401)
    await bed.me(due).expect(200)
  })
})
