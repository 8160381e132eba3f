import { expect } from 'chai'
import express from 'express'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import {
  type LoginRouterOptions,
  loginRouter,
  MemoryStore,
  problemHandler,
  RedisStore,
  requireSession,
} from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { expectProblem } from '../support/problem.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const OWN = 'x-3rd-session'
const PHONE_NUMBER = '/wxa/business/getuserphonenumber'

for (const kind of ['memory', 'Redis'] as const) {
  describe(`somebody with a stolen token, in ${kind},`, () => {
    let redis: Redis
    let bed: TestBed
    let stolen: string
    let owners: string

    beforeEach(async () => {
      redis = new Redis((await sharedRedis()).url)
      await redis.flushall()
      const clock = testClock()
      const store = kind === 'memory' ? new MemoryStore({ clock }) : new RedisStore(redis, { clock })
      bed = await openTestBed({ clock, store })
      owners = await bed.logIn()
      stolen = await bed.logIn()
      bed.clock.advance(600_001)
    })
    afterEach(async () => {
      expect(bed.bugs).to.deep.equal([])
      await bed.close()
      redis.disconnect()
    })

    const idOf = async (token: string) => (await bed.http.get('/session').set(OWN, token)).body.id
    const renewal = (token: string, body: object) =>
      bed.http.post('/session/renewal').set(OWN, token).send(body)
    const newCode = async (phone = bed.phone) => (await phone.wx.login()).code

    it('cannot end the other sessions, nor one of them, once the login is older than ten minutes', async () => {
      expectProblem(await bed.http.delete('/sessions').set(OWN, stolen), 401, 'ERR_LOGIN_TOO_OLD')
      const one = bed.http.delete(`/sessions/${await idOf(owners)}`).set(OWN, stolen)
      expectProblem(await one, 401, 'ERR_LOGIN_TOO_OLD')
      await bed.me(owners).expect(200)
    })

    it('learns nothing about which sessions there are by trying to end them', async () => {
      for (const id of ['x', 's'.repeat(24), await idOf(owners)])
        expectProblem(await bed.http.delete(`/sessions/${id}`).set(OWN, stolen), 401, 'ERR_LOGIN_TOO_OLD')
    })

    it('can end the stolen session itself, which is a logout', async () => {
      await bed.http
        .delete(`/sessions/${await idOf(stolen)}`)
        .set(OWN, stolen)
        .expect(204)
      expectProblem(await bed.me(stolen), 401, 'ERR_SESSION_UNKNOWN')
    })

    it('cannot renew it without a code of the owner', async () => {
      const code = await newCode(bed.sandbox.phone())
      expectProblem(await renewal(stolen, { code }), 409, 'ERR_USER_CHANGED')
      expectProblem(await renewal(stolen, { code: 'invented' }), 401, 'ERR_CODE_INVALID')
      expectProblem(await renewal(stolen, {}), 400, 'ERR_REQUEST_INVALID')
      expectProblem(await bed.http.delete('/sessions').set(OWN, stolen), 401, 'ERR_LOGIN_TOO_OLD')
    })

    it('has nothing left once the owner has renewed it, and the owner can end the others', async () => {
      const { body } = await renewal(stolen, { code: await newCode() }).expect(200)
      expect(body).to.have.all.keys('token', 'expiresAt', 'idleExpiresAt', 'userInfo')
      expectProblem(await bed.me(stolen), 401, 'ERR_SESSION_UNKNOWN')
      await bed.http.delete('/sessions').set(OWN, body.token).expect(204)
      expectProblem(await bed.me(owners), 401, 'ERR_SESSION_UNKNOWN')
      await bed.me(body.token).expect(200)
    })

    it('cannot confirm with a code of the phone number button of anybody else', async () => {
      const { code: phoneCode } = await bed.sandbox.phone().getPhoneNumber()
      const confirmation = bed.http.post('/session/confirmation').set(OWN, stolen)
      expectProblem(await confirmation.send({ phoneCode }), 401, 'ERR_PHONE_CODE_INVALID')
      expect((await bed.http.get('/session').set(OWN, stolen)).body).not.to.have.property('confirmedAt')
    })

    it('sees the sessions all the same, which harms nobody', async () => {
      await bed.http.get('/sessions').set(OWN, stolen).expect(200)
    })
  })
}

describe('the option stepUp of loginRouter', () => {
  let bed: TestBed
  let token: string

  beforeEach(async () => {
    bed = await openTestBed()
    token = await bed.logIn()
  })
  afterEach(() => bed.close())

  function mounted(options: LoginRouterOptions) {
    const app = express().use(loginRouter({ sessions: bed.sessions, ...options }))
    app.get('/money', requireSession({ sessions: bed.sessions, confirmedWithinSeconds: 60 }), (req, res) => {
      res.json({ confirmedAt: req.weapp.confirmedAt })
    })
    return supertest(app.use(problemHandler()))
  }
  const endOthers = (http: ReturnType<typeof mounted>) => http.delete('/sessions').set(OWN, token)
  async function confirm(http: ReturnType<typeof mounted>) {
    const { code: phoneCode } = await bed.phone.getPhoneNumber()
    return http.post('/session/confirmation').set(OWN, token).send({ phoneCode })
  }

  it('allows a login up to its maxAgeSeconds', async () => {
    const http = mounted({ stepUp: { maxAgeSeconds: 60 } })
    bed.clock.advance(60_000)
    await endOthers(http).expect(204)
    bed.clock.advance(1)
    expectProblem(await endOthers(http), 401, 'ERR_LOGIN_TOO_OLD')
  })

  it('asks for nothing when it is false', async () => {
    bed.clock.advance(3_600_000)
    await endOthers(mounted({ stepUp: false })).expect(204)
  })

  it('asks for a confirmation, as 403 so that no client logs in again for it', async () => {
    const http = mounted({ stepUp: { confirmedWithinSeconds: 60 } })
    expectProblem(await endOthers(http), 403, 'ERR_CONFIRMATION_REQUIRED')
    const { status, body } = await confirm(http)
    expect([status, body]).to.deep.equal([200, { confirmedAt: new Date(bed.clock()).toISOString() }])
    await endOthers(http).expect(204)
    bed.clock.advance(60_001)
    expectProblem(await endOthers(http), 403, 'ERR_CONFIRMATION_REQUIRED')
  })

  it('asks for the login first, since a new one has no confirmation', async () => {
    const http = mounted({ stepUp: { maxAgeSeconds: 60, confirmedWithinSeconds: 60 } })
    bed.clock.advance(60_001)
    await confirm(http)
    expectProblem(await endOthers(http), 401, 'ERR_LOGIN_TOO_OLD')
    const { code } = await bed.phone.wx.login()
    const renewed = await http.post('/session/renewal').set(OWN, token).send({ code })
    token = renewed.body.token
    expectProblem(await endOthers(http), 403, 'ERR_CONFIRMATION_REQUIRED')
  })

  it('covers a phone number that is kept, by the age of the login', async () => {
    bed.clock.advance(600_001)
    const { code } = await bed.phone.getPhoneNumber()
    const send = (http: ReturnType<typeof mounted>) =>
      http.post('/session/phone-number').set(OWN, token).send({ code })
    expectProblem(await send(mounted({ keepPhoneNumber: true })), 401, 'ERR_LOGIN_TOO_OLD')
    expect(bed.sandbox.callCount(PHONE_NUMBER)).to.equal(0)
    await send(mounted({ keepPhoneNumber: true, stepUp: { confirmedWithinSeconds: 1 } })).expect(200)
  })

  it('leaves a phone number alone that is not kept', async () => {
    bed.clock.advance(600_001)
    const { code } = await bed.phone.getPhoneNumber()
    await mounted({}).post('/session/phone-number').set(OWN, token).send({ code }).expect(200)
  })

  it('throws a TypeError for a wrong one that says what is allowed', () => {
    for (const [stepUp, message] of [
      [{}, /^loginRouter: stepUp must have maxAgeSeconds or confirmedWithinSeconds, or be false$/],
      [{ maxAgeSeconds: undefined }, /^loginRouter: stepUp must have maxAgeSeconds/],
      [{ maxAgeSeconds: 0 }, /^loginRouter: stepUp.maxAgeSeconds must be a positive number/],
      [{ confirmedWithinSeconds: '5' }, /^loginRouter: stepUp.confirmedWithinSeconds must be/],
      [{ maxAge: 5 }, /^loginRouter: stepUp: unknown option "maxAge"/],
      [true, /^loginRouter: stepUp: the options must be an object/],
    ] as const)
      expect(() => mounted({ stepUp: stepUp as never })).to.throw(TypeError, message)
    const { sessions } = bed
    expect(() => requireSession({ sessions, confirmedWithinSeconds: -1 })).to.throw(
      TypeError,
      /^requireSession: confirmedWithinSeconds must be a positive number/,
    )
  })

  it('has its like in requireSession, which shows when it was', async () => {
    const http = mounted({})
    expectProblem(await http.get('/money').set(OWN, token), 403, 'ERR_CONFIRMATION_REQUIRED')
    const { body } = await confirm(http)
    await http.get('/money').set(OWN, token).expect(200, body)
  })
})

describe('req.weapp.rotate', () => {
  it('returns another token, and the methods of the request go on with its session', async () => {
    const bed = await openTestBed()
    const app = express()
    app.post('/merge', requireSession({ sessions: bed.sessions }), async (req, res) => {
      const before = req.weapp.sessionId
      const token = await req.weapp.rotate({ data: { userId: 1 } })
      const rotated = req.weapp.data
      await req.weapp.setData({ userId: 2 })
      res.json({ token, rotated, isNew: before !== req.weapp.sessionId, shown: req.weapp })
    })
    const token = await bed.logIn()
    const { body } = await supertest(app).post('/merge').set(OWN, token).expect(200)
    expect([body.rotated, body.isNew]).to.deep.equal([{ userId: 1 }, true])
    expectProblem(await bed.me(token), 401, 'ERR_SESSION_UNKNOWN')
    const me = await bed.me(body.token).expect(200)
    expect(me.body.weapp.data).to.deep.equal({ userId: 2 })
    expect(body.shown.sessionId).to.equal(me.body.weapp.sessionId)
    await bed.close()
  })
})
