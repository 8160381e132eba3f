import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import {
  type AdminRouterOptions,
  type Authorize,
  adminRouter,
  MemoryStore,
  WeappError,
} from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { expectProblem } from '../support/problem.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'
import { watchStore } from '../support/watched-store.js'
import { type AdminBed, OPERATOR, openAdminBed } from './admin-bed.js'

describe('a router of the operators under attack', () => {
  let bed: AdminBed
  afterEach(() => bed?.close())

  const everyRoute = async () => {
    const id = (await bed.sessions.list(bed.user()))[0]?.sessionId ?? ''
    return [
      () => bed.ask('post', '/users/sessions', bed.user()),
      () => bed.ask('post', '/users/revoke', bed.user()),
      () => bed.ask('post', '/users/forget', bed.user()),
      () => bed.ask('get', `/sessions/${id}`),
      () => bed.ask('delete', `/sessions/${id}`),
      () => bed.ask('post', '/apps/revoke', { appid: bed.user().appid }),
      () => bed.ask('post', '/everybody/revoke', { everybody: true }),
    ]
  }

  it('is not made without authorize, onAudit or sessions, or with a wrong option', async () => {
    bed = await openAdminBed()
    const good: AdminRouterOptions = { sessions: bed.sessions, authorize: () => 'ada', onAudit: () => 1 }
    const wrong: [string, object | undefined][] = [
      ['adminRouter: the options', undefined],
      ['authorize', { authorize: undefined }],
      ['authorize', { authorize: true }],
      ['onAudit', { onAudit: undefined }],
      ['sessions', { sessions: undefined }],
      ['sessions', { sessions: { ...bed.sessions, find: undefined } }],
      ['sessions', { sessions: { ...bed.sessions, apps: undefined } }],
      ['logger', { logger: {} }],
      ['clock', { clock: 7 }],
      ['unknown option "authorise"', { authorise: () => 'ada' }],
    ]
    for (const [named, change] of wrong) {
      const make = () => adminRouter((change && { ...good, ...change }) as AdminRouterOptions)
      expect(make, named).to.throw(TypeError, named)
    }
    adminRouter(good)
  })

  const denials: [string, Authorize][] = [
    ['returns undefined', () => undefined],
    ['returns false', () => false],
    ['returns null', async () => null],
    ['resolves to undefined', async () => undefined],
    ['returns an empty text, as for an empty header', () => ''],
    ['returns a blank text', () => ' \t'],
  ]
  for (const [what, authorize] of denials) {
    it(`does nothing where authorize ${what}, and tells so`, async () => {
      bed = await openAdminBed({ admin: { authorize } })
      const token = await bed.logIn()
      for (const ask of await everyRoute()) expectProblem(await ask(), 403, 'ERR_NOT_AUTHORIZED')
      await bed.me(token).expect(200)
      expect(bed.audited.map(({ phase, who, whom }) => [phase, who, whom])).to.deep.equal(
        Array(7).fill(['denied', undefined, undefined]),
      )
      expect(new Set(bed.audited.map(({ action }) => action)).size).to.equal(7)
    })
  }

  it('does nothing where authorize fails, and the application gets the error', async () => {
    const error = new Error('the database of operators is down')
    const faults: [unknown, Authorize][] = [
      [error, () => Promise.reject(error)],
      [
        error,
        () => {
          throw error
        },
      ],
      [TypeError, (() => true) as never],
      [TypeError, (() => ({ name: 'ada' })) as never],
    ]
    for (const [expected, authorize] of faults) {
      bed = await openAdminBed({ admin: { authorize } })
      const token = await bed.logIn()
      const rejections = await unhandledRejectionsDuring(async () => {
        for (const ask of await everyRoute()) await ask().expect(500)
      })
      expect(rejections).to.deep.equal([])
      for (const bug of bed.bugs) {
        if (expected === TypeError) expect(bug).to.be.instanceOf(TypeError)
        else expect(bug).to.equal(expected)
      }
      expect(bed.bugs).to.have.length(7)
      await bed.me(token).expect(200)
      expect(bed.audited.every(({ phase }) => phase === 'denied')).to.equal(true)
      await bed.close()
    }
  })

  it('sends what authorize refuses with', async () => {
    const refusal = () => new WeappError('ERR_LOGIN_TOO_OLD', 'Log in to the back office again.')
    bed = await openAdminBed({ admin: { authorize: () => Promise.reject(refusal()) } })
    await bed.logIn()
    for (const ask of await everyRoute()) expectProblem(await ask(), 401, 'ERR_LOGIN_TOO_OLD')
    expect(bed.audited).to.have.length(7)
  })

  it('does nothing that the audit was not told of', async () => {
    bed = await openAdminBed({
      admin: {
        onAudit: async ({ phase }) => {
          if (phase === 'begin') throw new Error('the audit is full')
        },
      },
    })
    const token = await bed.logIn()
    for (const ask of await everyRoute()) {
      const { detail } = expectProblem(await ask(), 500, 'ERR_HOOK_FAILED')
      expect(detail).not.to.contain('full')
    }
    await bed.me(token).expect(200)
    expect(bed.log.join('\n')).to.contain('onAudit failed: Error: the audit is full')
  })

  it('tells the log of what the audit was not told afterwards', async () => {
    bed = await openAdminBed({
      admin: {
        onAudit: ({ phase }) => {
          if (phase !== 'begin') throw new Error('the audit is full')
        },
      },
    })
    await bed.logIn()
    expect((await bed.ask('post', '/users/revoke', bed.user())).body).to.deep.equal({ revoked: 1 })
    expect(bed.log).to.include('onAudit could not be told: revokeUser is done')
  })

  it('does not let strangers fill the log while the audit is out of order', async () => {
    bed = await openAdminBed({
      admin: { authorize: () => undefined, onAudit: () => Promise.reject(new Error('the audit is full')) },
    })
    const strangers = () =>
      Promise.all(Array.from({ length: 200 }, () => bed.http.post('/admin/users/revoke').send(bed.user())))
    for (const { status } of await strangers()) expect(status).to.equal(403)
    expect(bed.log).to.have.length(2)
    bed.clock.advance(60_000)
    await strangers()
    expect(bed.log).to.have.length(4)
    expect(bed.log[3]).to.contain('199 more since it was last logged')
  })

  it('tells of a failure, and the operator gets its error', async () => {
    const clock = testClock()
    const store = watchStore(new MemoryStore({ clock }))
    bed = await openAdminBed({ clock, store })
    await bed.logIn()
    store.before = (method) => {
      if (method === 'revokeUser') throw new Error('gone')
    }
    expectProblem(await bed.ask('post', '/users/revoke', bed.user()), 503, 'ERR_STORE_UNAVAILABLE')
    expect(bed.told().map((event) => (event as unknown[])[0])).to.deep.equal(['begin', 'failed'])
  })

  it('is not opened by the session of a user, even of one who is an operator elsewhere', async () => {
    bed = await openAdminBed()
    const token = await bed.logIn()
    const asUser = bed.http.post('/admin/users/revoke').set('x-3rd-session', token)
    expectProblem(
      await asUser.set('authorization', `Bearer ${token}`).send(bed.user()),
      403,
      'ERR_NOT_AUTHORIZED',
    )
    await bed.me(token).expect(200)
  })

  it('takes no body that a page of another site can send without asking', async () => {
    bed = await openAdminBed()
    const token = await bed.logIn()
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'text/plain;application/json']
    for (const type of types) {
      const forged = bed.http.post('/admin/users/revoke').set(OPERATOR, 'ada').set('content-type', type)
      expectProblem(await forged.send(JSON.stringify(bed.user())), 400, 'ERR_BODY_INVALID')
    }
    const bare = bed.http.post('/admin/users/revoke').set(OPERATOR, 'ada')
    expectProblem(await bare, 400, 'ERR_BODY_INVALID')
    await bed.me(token).expect(200)
    const typed = bed.http.post('/admin/users/revoke').set(OPERATOR, 'ada')
    await typed
      .set('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify(bed.user()))
      .expect(200)
  })

  it('does nothing once the request has been answered, by authorize itself or a timeout in front', async () => {
    const authorize: Authorize = (req) => {
      req.res?.redirect('/login')
      return 'ada'
    }
    bed = await openAdminBed({ admin: { authorize } })
    const token = await bed.logIn()
    for (const ask of await everyRoute()) await ask().expect(302)
    await bed.me(token).expect(200)
    expect(bed.audited).to.deep.equal([])
  })

  it('lets authorize tell the actions apart', async () => {
    const authorize: Authorize = (_req, action) => action === 'list' && 'support'
    bed = await openAdminBed({ admin: { authorize } })
    await bed.logIn()
    const statuses: number[] = []
    for (const ask of await everyRoute()) statuses.push((await ask()).status)
    expect(statuses).to.deep.equal([200, ...Array(6).fill(403)])
  })
})
