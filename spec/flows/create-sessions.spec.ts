import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSessions, MemoryStore, type SessionsOptions } from '../../lib/index.js'
import { weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const apps = [{ appid: 'wx1', secret: 'a secret that must not be shown' }]
const store = new MemoryStore()

describe('createSessions', () => {
  const wrong: [string, unknown, RegExp][] = [
    ['no options', undefined, /^createSessions: the options must be an object, not undefined$/],
    [
      'an unknown name',
      { apps, store, ttl: 1 },
      /^createSessions: unknown option "ttl"; known: apps, store, keys/,
    ],
    ['no apps', { apps: [], store }, /^createSessions: apps must be an array of one or more apps/],
    ['apps that are none', { apps: 'wx1', store }, /^createSessions: apps must be an array/],
    ['no appid', { apps: [{ secret: 's' }], store }, /apps\[0\]\.appid must be a non-empty string/],
    ['no secret', { apps: [{ appid: 'wx1' }], store }, /apps\[0\]\.secret must be a non-empty string/],
    [
      'two apps whose users would be of one group',
      {
        apps: [
          { appid: 'wx0000000000000c60', secret: 's' },
          { appid: 'wx000000000000126d', secret: 't' },
        ],
        store,
      },
      /apps must not have both wx0000000000000c60 and wx000000000000126d/,
    ],
    ['one appid twice', { apps: [...apps, ...apps], store }, /apps names the appid wx1 twice/],
    [
      'one id twice',
      {
        apps: [
          { ...apps[0], id: 2 },
          { appid: 'b', secret: 's' },
        ],
        store,
      },
      /the id 2 twice/,
    ],
    [
      'an unknown name in an app',
      { apps: [{ ...apps[0], ttl: 1 }], store },
      /apps\[0\]: unknown option "ttl"/,
    ],
    [
      'a negative duration',
      { apps: [{ ...apps[0], loginDurationDays: -1 }], store },
      /apps\[0\]\.loginDurationDays must be a positive number up to 3650, not -1/,
    ],
    [
      'a duration of NaN',
      { apps: [{ ...apps[0], sessionDurationSeconds: Number.NaN }], store },
      /apps\[0\]\.sessionDurationSeconds must be a positive number .* not NaN/,
    ],
    ['no store', { apps }, /^createSessions: store must be a SessionStore/],
    ['a store that is none', { apps, store: {} }, /it has no method "read"/],
    ['short keys', { apps, store, keys: ['short'] }, /keys\[0\] must be a string of at least 32 characters/],
    ['empty keys', { apps, store, keys: [] }, /keys must be an array of one or more secrets/],
    [
      'a cap of 0',
      { apps, store, maxSessionsPerUser: 0 },
      /maxSessionsPerUser must be an integer from 1 to 1000/,
    ],
    [
      'a cap of an app above 1000',
      { apps: [{ ...apps[0], maxSessionsPerUser: 1001 }], store },
      /apps\[0\]\.maxSessionsPerUser must be an integer from 1 to 1000, not 1001/,
    ],
    ['an unknown onLimit', { apps, store, onLimit: 'x' }, /onLimit must be one of 'end-oldest', 'refuse'/],
    ['a touch share of 2', { apps, store, touchShare: 2 }, /touchShare must be a positive number up to 0.5/],
    [
      'a baseUrl that is none',
      { apps, store, wechat: { baseUrl: 'weixin' } },
      /wechat\.baseUrl must be an http/,
    ],
    [
      'a file as baseUrl',
      { apps, store, wechat: { baseUrl: 'file:///x' } },
      /wechat\.baseUrl must be an http/,
    ],
    ['an unknown name in wechat', { apps, store, wechat: { url: 'x' } }, /wechat: unknown option "url"/],
    [
      'a timeout of half a millisecond',
      { apps, store, storeTimeoutMs: 0.5 },
      /storeTimeoutMs must be an integer/,
    ],
    [
      'a fraction of a timeout',
      { apps, store, wechat: { timeoutMs: 1.5 } },
      /wechat\.timeoutMs must be an integer/,
    ],
    ['an onLogin that is none', { apps, store, onLogin: 1 }, /onLogin must be a function/],
    ['a logger that is none', { apps, store, logger: {} }, /logger must be a Logger/],
  ]
  for (const [what, options, message] of wrong) {
    it(`throws a TypeError for ${what} that names it and says what is allowed`, () => {
      expect(() => createSessions(options as SessionsOptions)).to.throw(TypeError, message)
    })
  }

  it('shows no secret in any of these errors', () => {
    for (const [, options] of wrong) {
      expect(() => createSessions(options as SessionsOptions))
        .to.throw()
        .with.property('message')
        .not.contains('shown')
    }
  })
})

describe('the sessions of users', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  const userOf = ({ appid, openid } = bed.phone) => ({ appid, openid })

  it('are ended one by one, all of a user, all but one, or all there are', async () => {
    const [first, second, third] = [await bed.logIn(), await bed.logIn(), await bed.logIn()]
    const others = await bed.logIn(bed.sandbox.phone())
    const { sessionId } = await bed.sessions.authenticate(third)

    expect(await bed.sessions.revoke(await bed.sessions.authenticate(first))).to.equal(true)
    expect(await bed.sessions.revokeUser(userOf(), { exceptSessionId: sessionId })).to.equal(1)
    await bed.me(second).expect(401)
    await bed.me(third).expect(200)
    expect(await bed.sessions.revokeUser(userOf())).to.equal(1)
    await bed.me(third).expect(401)
    await bed.me(others).expect(200)
    expect(await bed.sessions.revokeAll({ resume: true })).to.equal(0)
    expect(await bed.sessions.revokeAll()).to.equal(1)
    await bed.me(others).expect(401)
  })

  it('are listed without what has expired', async () => {
    await bed.close()
    bed = await openTestBed({ app: { sessionDurationSeconds: 60 } })
    await bed.logIn()
    bed.clock.advance(59_999)
    await bed.logIn()
    expect(await bed.sessions.list(userOf())).to.have.lengthOf(2)
    bed.clock.advance(1)
    expect(await bed.sessions.list(userOf())).to.have.lengthOf(1)
  })

  it('survive a change of keys that keeps the old one', async () => {
    const [oldKey, newKey] = ['o'.repeat(32), 'n'.repeat(32)]
    const shared = new MemoryStore()
    const parts = { apps: bed.sandbox.apps, store: shared, wechat: { baseUrl: bed.sandbox.url } }
    const before = createSessions({ ...parts, keys: [oldKey] })
    const after = createSessions({ ...parts, keys: [newKey, oldKey] })
    const { session } = await before.login({ code: (await bed.phone.wx.login()).code })
    const { encryptedData = '', iv = '' } = await bed.phone.wx.getUserInfo()
    expect((await after.decrypt(session, { encryptedData, iv })).openId).to.equal(bed.phone.openid)
    await Promise.all([before.close(), after.close()])
  })

  it('are as many as their app allows, else as many as all apps do', async () => {
    await bed.close()
    bed = await openTestBed({ maxSessionsPerUser: 3, app: { maxSessionsPerUser: 2 } })
    for (let logins = 0; logins < 4; logins += 1) await bed.logIn()
    expect(await bed.sessions.list(userOf())).to.have.lengthOf(2)
  })

  it('stay while they are visited when the session duration is raised', async () => {
    const parts = {
      store: new MemoryStore({ clock: bed.clock }),
      wechat: { baseUrl: bed.sandbox.url },
      clock: bed.clock,
    }
    const appsWith = (sessionDurationSeconds: number) =>
      bed.sandbox.apps.map((app) => ({ ...app, sessionDurationSeconds }))
    const before = createSessions({ ...parts, apps: appsWith(7200) })
    const after = createSessions({ ...parts, apps: appsWith(30 * 86_400) })
    const { token } = await before.login({ code: (await bed.phone.wx.login()).code })
    for (let hour = 0; hour < 5; hour++) {
      bed.clock.advance(3_600_000)
      await after.authenticate(token)
    }
    await Promise.all([before.close(), after.close()])
  })

  it('of an app that is no longer configured are unknown, but not lost', async () => {
    const shared = new MemoryStore()
    const parts = { store: shared, wechat: { baseUrl: bed.sandbox.url } }
    const here = createSessions({ ...parts, apps: bed.sandbox.apps })
    const elsewhere = createSessions({ ...parts, apps })
    const { token } = await here.login({ code: (await bed.phone.wx.login()).code })
    const error = await elsewhere.authenticate(token).catch((reason: unknown) => reason)
    expect(error).to.include({ code: 'ERR_SESSION_UNKNOWN' })
    expect((await here.authenticate(token)).openid).to.equal(bed.phone.openid)
    await Promise.all([here.close(), elsewhere.close()])
  })
})

describe('an app named by its appid or its id', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed({ apps: 2 })
  })
  afterEach(() => bed.close())

  const phoneOf = (index: number) => bed.sandbox.phone({ appid: bed.sandbox.apps[index]?.appid ?? '' })
  const codeOf = async (phone = bed.phone) => (await phone.wx.login()).code

  it('is the one that a login is of', async () => {
    const phone = phoneOf(1)
    for (const appid of [2, phone.appid]) {
      const { session } = await bed.sessions.login({ code: await codeOf(phone), appid })
      expect(session).to.include({ appid: phone.appid, openid: phone.openid })
    }
  })

  it('is ERR_APP_UNKNOWN to a login when there is none, and the code stays good', async () => {
    const code = await codeOf()
    for (const appid of [3, 0, '1', 'wx0'])
      await weappErrorOf('ERR_APP_UNKNOWN', () => bed.sessions.login({ code, appid }))
    expect((await bed.sessions.login({ code, appid: 1 })).session.openid).to.equal(bed.phone.openid)
  })

  it('is the only one whose sessions are known to who asks for it', async () => {
    const { token } = await bed.sessions.login({ code: await codeOf(), appid: 1 })
    for (const appid of [1, bed.phone.appid, undefined])
      expect((await bed.sessions.authenticate(token, { appid })).openid).to.equal(bed.phone.openid)
    for (const appid of [2, phoneOf(1).appid])
      await weappErrorOf('ERR_SESSION_UNKNOWN', () => bed.sessions.authenticate(token, { appid }))
    expect((await bed.sessions.authenticate(token)).openid).to.equal(bed.phone.openid)
  })

  it('has a session of another app fail just as one that never was', async () => {
    const { token } = await bed.sessions.login({ code: await codeOf(), appid: 1 })
    const [ofAnother, ofNobody] = await Promise.all(
      [token, 'A'.repeat(64)].map((each) =>
        weappErrorOf('ERR_SESSION_UNKNOWN', () => bed.sessions.authenticate(each, { appid: 2 })),
      ),
    )
    expect(ofAnother?.message).to.equal(ofNobody?.message)
  })
})
