import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { loginRouter, problemHandler, requireSession } from '../../lib/index.js'
import { expectProblem } from '../support/problem.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

describe('POST /session/phone-number', () => {
  let bed: TestBed
  let token: string

  beforeEach(async () => {
    bed = await openTestBed()
    token = await bed.logIn()
  })
  afterEach(() => bed.close())

  const post = (body: object, http = bed.http) =>
    http.post('/session/phone-number').set('x-3rd-session', token).send(body)
  const tap = async (phone = bed.phone) => (await phone.getPhoneNumber()).code

  it('answers the fields of phone_info, and keeps nothing', async () => {
    const { body } = await post({ code: await tap() }).expect(200)
    expect(body).to.have.all.keys('phoneNumber', 'purePhoneNumber', 'countryCode', 'watermark')
    const { appid, openid } = bed.phone
    expect(await bed.sessions.phoneNumberOf({ appid, openid })).to.equal(null)
  })

  it('keeps the number where the router is told to', async () => {
    const app = express().use(loginRouter({ sessions: bed.sessions, keepPhoneNumber: true }))
    const { body } = await post({ code: await tap() }, supertest(app)).expect(200)
    const { appid, openid } = bed.phone
    expect(await bed.sessions.phoneNumberOf({ appid, openid })).to.deep.equal(body)
    expect(() => loginRouter({ sessions: bed.sessions, keepPhoneNumber: 'yes' as never })).to.throw(TypeError)
  })

  it('keeps none where the router is told so, whatever its sessions do', async () => {
    const keeping = bed.sessions.with({ keepPhoneNumbers: true })
    const { appid, openid } = bed.phone
    for (const [keepPhoneNumber, kept] of [
      [false, 'null'],
      [undefined, 'object'],
    ] as const) {
      const options = keepPhoneNumber === undefined ? {} : { keepPhoneNumber }
      const app = express().use(loginRouter({ sessions: keeping, ...options }))
      await post({ code: await tap() }, supertest(app)).expect(200)
      expect(await bed.sessions.phoneNumberOf({ appid, openid })).to.be.a(kept)
    }
  })

  it('answers 401 with its own code when the code is used twice, and to the code of somebody else', async () => {
    const code = await tap()
    await post({ code }).expect(200)
    expectProblem(await post({ code }), 401, 'ERR_PHONE_CODE_INVALID')
    expectProblem(await post({ code: await tap(bed.sandbox.phone()) }), 401, 'ERR_PHONE_CODE_INVALID')
  })

  it('answers 400 to no code, 413 to too much, and 401 without a session', async () => {
    expectProblem(await post({}), 400, 'ERR_REQUEST_INVALID')
    expectProblem(await post({ code: 7 }), 400, 'ERR_REQUEST_INVALID')
    expectProblem(await post({ code: 'a code' }), 400, 'ERR_REQUEST_INVALID')
    expectProblem(await post({ code: 'a'.repeat(70_000) }), 413, 'ERR_BODY_TOO_LARGE')
    const unknown = await bed.http.post('/session/phone-number').send({ code: await tap() })
    expectProblem(unknown, 401, 'ERR_TOKEN_MISSING')
  })

  it('answers 503 while WeChat is away, and works again afterwards', async () => {
    const code = await tap()
    await bed.sandbox.takeDown()
    expectProblem(await post({ code }), 503, 'ERR_WECHAT_UNREACHABLE')
    await bed.sandbox.bringUp()
    bed.clock.advance(1000)
    await post({ code }).expect(200)
  })

  it('has its like on the request, as decryption has, for the routes of the application', async () => {
    const app = express().use(express.json(), requireSession({ sessions: bed.sessions }))
    app.post('/phone', async (req, res, next) =>
      req.weapp.phoneNumber(req.body).then((info) => res.json(info), next),
    )
    app.post('/steps', async (req, res, next) =>
      req.weapp.decrypt(req.body, { as: 'weRun', maxAgeSeconds: 60 }).then((data) => res.json(data), next),
    )
    app.use(problemHandler())
    const send = (path: string, body?: object) =>
      supertest(app).post(path).set('x-3rd-session', token).send(body)

    await send('/phone', { code: await tap() }).expect(200)
    expectProblem(await send('/phone'), 400, 'ERR_REQUEST_INVALID')
    bed.clock.set(Date.now())
    token = await bed.logIn()
    const { encryptedData, iv } = await bed.phone.wx.getWeRunData()
    const { body } = await send('/steps', { encryptedData, iv }).expect(200)
    expect(body.stepInfoList).to.have.lengthOf(31)
    bed.clock.advance(120_000)
    expectProblem(await send('/steps', { encryptedData, iv }), 409, 'ERR_SESSION_KEY_STALE')
    const { encryptedData: other, iv: otherIv } = await bed.phone.wx.getGroupEnterInfo()
    bed.clock.set(Date.now())
    expectProblem(await send('/steps', { encryptedData: other, iv: otherIv }), 400, 'ERR_DATA_MALFORMED')
    await send('/steps').expect(400)
  })
})
