import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { expectProblem } from '../support/problem.js'
import { type AdminBed, OPERATOR, openAdminBed } from './admin-bed.js'

const APPS = ['wx1111111111111111', 'wx2222222222222222'] as const

describe('the router of the operators', () => {
  let bed: AdminBed
  afterEach(() => bed.close())

  const idOf = async (token: string) => (await bed.sessions.authenticate(token)).sessionId

  it('lists the sessions of a user, and tells the audit before and after', async () => {
    bed = await openAdminBed()
    const token = await bed.logIn()
    const { body, headers } = await bed.ask('post', '/users/sessions', bed.user()).expect(200)
    expect(headers['cache-control']).to.equal('no-store')
    const { sessionId, device: _, ...times } = (await bed.sessions.list(bed.user()))[0] ?? {}
    const expected = { id: sessionId, device: null, ...times }
    expect(body).to.deep.equal(JSON.parse(JSON.stringify({ sessions: [expected] })))
    expect(JSON.stringify(body)).not.to.contain(token)
    expect(bed.told()).to.deep.equal([
      ['begin', 'ada', 'list', bed.user(), undefined],
      ['done', 'ada', 'list', bed.user(), 1],
    ])
    expect(bed.audited[0]?.at).to.deep.equal(new Date(bed.clock()))
    for (const event of bed.audited) expect([event, event.whom].every(Object.isFrozen)).to.equal(true)
  })

  it('finds a session by its id alone, with its user and data, but neither token nor session_key', async () => {
    bed = await openAdminBed({ onLogin: () => ({ role: 'editor' }) })
    const token = await bed.logIn()
    const id = await idOf(token)
    bed.clock.advance(3_600_000)
    const { body, text } = await bed.ask('get', `/sessions/${id}`).expect(200)
    expect(body).to.include({ id, ...bed.user(), unionid: bed.phone.unionid, device: null })
    expect(body.data).to.deep.equal({ role: 'editor' })
    expect(body).to.have.all.keys(
      ...['id', 'appid', 'openid', 'unionid', 'device', 'userInfo', 'data'],
      ...['createdAt', 'lastVisitAt', 'expiresAt', 'idleExpiresAt'],
    )
    expect(body.lastVisitAt).to.equal(body.createdAt)
    for (const secret of [token, token.slice(20), bed.sandbox.sessionKeyOf(bed.phone)])
      expect(text).not.to.contain(secret)
    const whom = { ...bed.user(), sessionId: id }
    expect(bed.told()).to.deep.equal([
      ['begin', 'ada', 'find', whom, undefined],
      ['done', 'ada', 'find', whom, 1],
    ])
  })

  it('ends one session, which no request has any more', async () => {
    bed = await openAdminBed()
    const [lost, other] = [await bed.logIn(), await bed.logIn()]
    const id = await idOf(lost)
    await bed.ask('delete', `/sessions/${id}`).expect(204)
    await bed.me(lost).expect(401)
    await bed.me(other).expect(200)
    expect(bed.told()[1]).to.deep.equal(['done', 'ada', 'revoke', { ...bed.user(), sessionId: id }, 1])
  })

  it('says 404 for a session that is not there, and tells the audit', async () => {
    bed = await openAdminBed()
    const token = await bed.logIn()
    const id = await idOf(token)
    await bed.sessions.logout(token)
    for (const method of ['get', 'delete'] as const)
      expectProblem(await bed.ask(method, `/sessions/${id}`), 404, 'ERR_SESSION_NOT_FOUND')
    expect(bed.told().filter((_, index) => index % 2 === 1)).to.deep.equal([
      ['done', 'ada', 'find', { sessionId: id }, 0],
      ['done', 'ada', 'revoke', { sessionId: id }, 0],
    ])
  })

  it('ends all sessions of a user, and of nobody else', async () => {
    bed = await openAdminBed()
    const [first, second] = [await bed.logIn(), await bed.logIn()]
    const others = await bed.logIn(bed.sandbox.phone())
    const { body } = await bed.ask('post', '/users/revoke', bed.user()).expect(200)
    expect(body).to.deep.equal({ revoked: 2 })
    for (const token of [first, second]) await bed.me(token).expect(401)
    await bed.me(others).expect(200)
    expect(bed.told()[1]).to.deep.equal(['done', 'ada', 'revokeUser', bed.user(), 2])
  })

  it('forgets a user', async () => {
    bed = await openAdminBed()
    await bed.me(await bed.logIn()).expect(200)
    await bed.ask('post', '/users/forget', bed.user()).expect(204)
    expect(await bed.sessions.list(bed.user())).to.deep.equal([])
    expect(bed.told()[1]).to.deep.equal(['done', 'ada', 'forgetUser', bed.user(), undefined])
  })

  it('ends all sessions of an app, and those of the other apps live on', async () => {
    bed = await openAdminBed({ apps: 2 })
    const ofApp = (appid: string) =>
      Promise.all(Array.from({ length: 3 }, () => bed.logIn(bed.sandbox.phone({ appid }))))
    const [spared, ended] = [await ofApp(APPS[0]), await ofApp(APPS[1])]
    const { body } = await bed.ask('post', '/apps/revoke', { appid: APPS[1] }).expect(200)
    expect(body).to.deep.equal({ revoked: 3 })
    for (const token of ended) expectProblem(await bed.me(token), 401, 'ERR_SESSION_UNKNOWN')
    for (const token of spared) await bed.me(token).expect(200)
    expect(bed.told()[1]).to.deep.equal(['done', 'ada', 'revokeApp', { appid: APPS[1] }, 3])
    await bed.me(await bed.logIn(bed.sandbox.phone({ appid: APPS[1] }))).expect(200)
  })

  it('ends all sessions of everybody, once that is said', async () => {
    bed = await openAdminBed()
    const tokens = [await bed.logIn(), await bed.logIn(bed.sandbox.phone())]
    for (const body of [{}, { everybody: false }, { everybody: 'true' }, { everybody: true, appid: 'wx' }])
      expectProblem(await bed.ask('post', '/everybody/revoke', body), 400, 'ERR_REQUEST_INVALID')
    await bed.me(tokens[0] ?? '').expect(200)
    const { body } = await bed.ask('post', '/everybody/revoke', { everybody: true }).expect(200)
    expect(body).to.deep.equal({ revoked: 2 })
    for (const token of tokens) await bed.me(token).expect(401)
    expect(bed.told()).to.deep.equal([
      ['begin', 'ada', 'revokeAll', 'everybody', undefined],
      ['done', 'ada', 'revokeAll', 'everybody', 2],
    ])
  })

  it('takes no wrong name for a user, a session or an app, and tells nothing of it', async () => {
    bed = await openAdminBed({ apps: 2 })
    const token = await bed.logIn()
    const { openid } = bed.user()
    for (const path of ['/users/sessions', '/users/revoke', '/users/forget']) {
      for (const body of [{}, { openid: 7 }, { openid: '', appid: APPS[0] }, { openid, appid: 1 }])
        expectProblem(await bed.ask('post', path, body), 400, 'ERR_REQUEST_INVALID')
      for (const body of [{ openid }, { openid, appid: 'wx0' }, { openid, appid: '' }])
        expectProblem(await bed.ask('post', path, body), 400, 'ERR_APP_UNKNOWN')
      expectProblem(
        await bed.ask('post', path, { ...bed.user(), appId: APPS[1] }),
        400,
        'ERR_REQUEST_INVALID',
      )
      for (const body of [[], [bed.user()]])
        expectProblem(await bed.ask('post', path, body), 400, 'ERR_BODY_INVALID')
    }
    for (const id of ['x', 'A'.repeat(24), 'A'.repeat(64), token, '%zz', '*'.repeat(44)])
      for (const method of ['get', 'delete'] as const)
        expectProblem(await bed.ask(method, `/sessions/${id}`), 400, 'ERR_REQUEST_INVALID')
    for (const body of [{}, { appid: null }, { appid: 2 }])
      expectProblem(await bed.ask('post', '/apps/revoke', body), 400, 'ERR_REQUEST_INVALID')
    expectProblem(await bed.ask('post', '/apps/revoke', { appid: 'wx0' }), 400, 'ERR_APP_UNKNOWN')
    await bed.me(token).expect(200)
    expect(bed.audited).to.deep.equal([])
  })

  it('knows the only app, and of several the one that its sessions are narrowed to', async () => {
    bed = await openAdminBed({ apps: 2, narrow: (sessions) => sessions.ofApp(APPS[1]) })
    const elsewhere = await bed.logIn()
    const own = await bed.logIn(bed.sandbox.phone({ appid: APPS[1] }))
    const { openid, sessionId } = await bed.sessions.authenticate(own)
    const id = await idOf(elsewhere)
    for (const method of ['get', 'delete'] as const)
      expectProblem(await bed.ask(method, `/sessions/${id}`), 404, 'ERR_SESSION_NOT_FOUND')
    expectProblem(await bed.ask('post', '/users/revoke', bed.user()), 400, 'ERR_APP_UNKNOWN')
    expectProblem(await bed.ask('post', '/apps/revoke', { appid: APPS[0] }), 400, 'ERR_APP_UNKNOWN')
    await bed.ask('post', '/everybody/revoke', { everybody: true }).expect(404)
    await bed.me(elsewhere).expect(200)
    await bed.ask('get', `/sessions/${sessionId}`).expect(200)
    expect((await bed.ask('post', '/users/revoke', { openid })).body).to.deep.equal({ revoked: 1 })
    expect(bed.told().at(-1)).to.deep.equal(['done', 'ada', 'revokeUser', { appid: APPS[1], openid }, 1])
  })

  it('has no other methods at its paths, and no other paths', async () => {
    bed = await openAdminBed()
    const put = await bed.http.put('/admin/users/revoke').set(OPERATOR, 'ada')
    expectProblem(put, 405, 'ERR_METHOD_NOT_ALLOWED')
    expect(put.headers.allow).to.equal('POST')
    const post = await bed.ask('post', `/sessions/${'A'.repeat(44)}`, {})
    expectProblem(post, 405, 'ERR_METHOD_NOT_ALLOWED')
    expect(post.headers.allow).to.equal('GET, HEAD, DELETE')
    await bed.ask('delete', '/sessions').expect(404)
    await bed.ask('delete', '/sessions/').expect(404)
    expect(bed.audited).to.deep.equal([])
  })
})
