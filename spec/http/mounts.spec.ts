import { expect } from 'chai'
import express from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import {
  loginRouter,
  problemHandler,
  requireSession,
  type Sessions,
  type SessionsScope,
  WeappError,
  wafer2Protocol,
  waferProtocol,
  wxappProtocol,
} from '../../lib/index.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const MAGIC = 'F2C224D4-2BCE-4C64-AF9F-A6D872000D1A'

describe('a mount of one app', () => {
  let bed: TestBed
  let [first, second] = ['', '']

  beforeEach(async () => {
    bed = await openTestBed({ apps: 2 })
    ;[first = '', second = ''] = bed.sandbox.apps.map(({ appid }) => appid)
  })
  afterEach(() => bed.close())

  it('cannot end a session of another app', async () => {
    const others = await bed.logIn(bed.sandbox.phone({ appid: second }))
    const mount = supertest(express().use(loginRouter({ sessions: bed.sessions, appid: first })))
    await mount.post('/logout').set('x-3rd-session', others).expect(204)
    await bed.me(others).expect(200)
    const own = await bed.logIn()
    await mount.post('/logout').set('x-3rd-session', own).expect(204)
    await bed.me(own).expect(401)
  })

  it('works with sessions that are an object of a class of the application', async () => {
    const { sessions } = bed
    const calls: string[] = []
    class Audited {
      login(...request: Parameters<Sessions['login']>) {
        calls.push('login')
        return sessions.login(...request)
      }
      authenticate(...token: Parameters<Sessions['authenticate']>) {
        calls.push('authenticate')
        return sessions.authenticate(...token)
      }
      with(scope: SessionsScope) {
        calls.push('with')
        return sessions.with(scope)
      }
    }
    const own = new Audited() as unknown as Sessions
    const options = { appid: first, maxSessionsPerUser: 1, keepPhoneNumber: true }
    const app = express().use(loginRouter({ sessions: own }))
    app.use('/narrowed', loginRouter({ sessions: own, ...options }))
    app.get('/me', requireSession({ sessions: own }), (req, res) => res.json(req.openid))
    const logIn = async (path: string) => {
      const { code } = await bed.phone.wx.login()
      return (await supertest(app).post(path).send({ code, appid: first }).expect(200)).body.token
    }
    await supertest(app)
      .get('/me')
      .set('x-3rd-session', await logIn('/login'))
      .expect(200)
    await logIn('/narrowed/login')
    expect(await sessions.list(bed.phone)).to.have.length(1)
    expect(calls).to.deep.equal(['with', 'login', 'authenticate'])
  })

  it('says at construction what is wrong with it', () => {
    const { sessions } = bed
    const mount = (options: object) => () => loginRouter({ sessions, ...options })
    expect(mount({ appid: 'wx0' })).to.throw(TypeError, 'loginRouter: appid must name one of the apps')
    expect(mount({ maxSessionsPerUser: 0 })).to.throw(TypeError, 'loginRouter: maxSessionsPerUser')
    expect(mount({ keepPhoneNumber: 'yes' })).to.throw(TypeError, 'loginRouter: keepPhoneNumber')
    expect(() => requireSession({ sessions, appid: 'wx0' })).to.throw(TypeError, 'requireSession: appid')
  })

  it('says which method own sessions lack, and leaves their words alone', () => {
    const { sessions } = bed
    const own = (methods: object) => () =>
      loginRouter({
        sessions: { login: sessions.login, authenticate: sessions.authenticate, ...methods } as Sessions,
        appid: first,
      })
    expect(own({})).to.throw(TypeError, 'loginRouter: sessions must be what createSessions() returns')
    const refuse = () => {
      throw new TypeError('works only with one app')
    }
    expect(own({ with: refuse })).to.throw(TypeError, /^works only with one app$/)
  })

  it('of wxapp accepts a session under the app that the request names alone', async () => {
    const token = await bed.logIn()
    const app = express().use(express.json())
    app.use(requireSession({ sessions: bed.sessions, protocol: wxappProtocol() }), (req, res) =>
      res.json(req.openid),
    )
    const ask = (fields: object) =>
      supertest(app)
        .post('/')
        .send({ uuid: token.slice(0, 20), skey: token, ...fields })
    expect((await ask({ app_id: 1 })).body).to.equal(bed.phone.openid)
    for (const app_id of [2, 77, 'x', {}]) expect((await ask({ app_id })).body.ok).to.equal('fail')
  })

  it('lets who brings no token pass where a session is optional, also with a token in the body', async () => {
    const app = express().use(express.json())
    const optional = { sessions: bed.sessions, protocol: wxappProtocol(), optional: true }
    app.use(requireSession(optional), (req, res) => res.json({ openid: req.openid ?? null }))
    await supertest(app).get('/').expect(200, { openid: null })
    await supertest(app).post('/').send({ other: 1 }).expect(200, { openid: null })
  })

  it('changes nothing in the application for a user of an app that is not there', async () => {
    const heard: unknown[] = []
    await bed.close()
    bed = await openTestBed({ onUserInfo: (event) => void heard.push(event) })
    const profile = { userInfo: { nickName: 'Ada' } }
    const failure = await bed.sessions
      .setUserInfo({ appid: 'wx0', openid: 'o' }, profile)
      .catch((error) => error)
    expect(failure).to.include({ code: 'ERR_APP_UNKNOWN' })
    expect(heard).to.deep.equal([])
  })
})

describe('a mistake in one request', () => {
  const failing = (
    code: 'ERR_DATA_MALFORMED' | 'ERR_CODE_INVALID',
    protocol: ReturnType<typeof waferProtocol>,
  ) => {
    const app = express()
    app.use((_req, _res, next) => next(new WeappError(code, 'A mistake.')))
    return supertest(app.use(problemHandler(protocol)))
  }

  it('does not make the client of Wafer 1 drop its session', async () => {
    const { body } = await failing('ERR_DATA_MALFORMED', waferProtocol()).get('/').expect(400)
    expect(body).not.to.have.property(MAGIC)
    expect(body.error).to.equal('ERR_CHECK_LOGIN_FAILED')
  })

  it('does not make the client of Wafer 2 drop its session', async () => {
    const { body } = await failing('ERR_CODE_INVALID', wafer2Protocol()).get('/').expect(400)
    expect(body.code).to.equal(1)
  })
})
