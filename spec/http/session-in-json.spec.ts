import { expect } from 'chai'
import express, { type RequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { legacyUserInfo, requireSession } from '../../lib/index.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

describe('req.weapp', () => {
  let bed: TestBed
  let token: string

  beforeEach(async () => {
    bed = await openTestBed({ onLogin: () => ({ userId: 7, isAdmin: true }) })
    token = await bed.logIn()
  })
  afterEach(() => bed.close())

  async function answerOf(handler: RequestHandler) {
    const app = express().get('/', requireSession({ sessions: bed.sessions }), handler)
    return supertest(app).get('/').set('x-3rd-session', token).expect(200)
  }

  it('sent as it is shows what the phone may see by GET /session, and no more', async () => {
    const sent = await answerOf((req, res) => res.json({ weapp: req.weapp }))
    const { body } = await bed.http.get('/session').set('x-3rd-session', token).expect(200)
    const { id, userInfo: _, ...times } = body
    expect(sent.body).to.deep.equal({ weapp: { sessionId: id, ...times } })
    for (const secret of [bed.phone.unionid, bed.phone.openid, bed.phone.appid, 'userId', 'isAdmin']) {
      expect(sent.text).not.to.contain(secret)
    }
  })

  it('gives the server all of it, copied or not', async () => {
    const { unionid, openid, appid } = bed.phone
    const { body } = await answerOf((req, res) => {
      const copy = { ...req.weapp }
      const { unionId, openId } = legacyUserInfo({ ...copy, openid: req.openid, userInfo: req.userInfo })
      res.json({ copy, own: [req.weapp.unionid, req.weapp.data], legacy: [unionId, openId] })
    })
    const data = { userId: 7, isAdmin: true }
    expect(body.copy).to.include({ appid, unionid }).and.to.deep.include({ data })
    expect(body.own).to.deep.equal([unionid, data])
    expect(body.legacy).to.deep.equal([unionid, openid])
  })
})
