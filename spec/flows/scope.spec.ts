import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSessions, MemoryStore, type Sessions, type SessionsScope } from '../../lib/index.js'
import { weappErrorOf } from '../support/failures.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

describe('sessions that are narrowed', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed({ apps: 2 })
  })
  afterEach(() => bed.close())

  const newCode = async () => (await bed.phone.wx.login()).code
  const logIn = async (sessions: Sessions) =>
    sessions.login({ code: await newCode(), appid: bed.phone.appid })
  const tap = async () => (await bed.phone.getPhoneNumber()).code

  describe('to an app', () => {
    it('log its users in without its name, and nobody else', async () => {
      const { token } = await bed.sessions.ofApp(1).login({ code: await newCode() })
      expect(await bed.sessions.authenticate(token)).to.include({ openid: bed.phone.openid })
      const ofOther = { code: await newCode(), appid: bed.phone.appid }
      await weappErrorOf('ERR_APP_UNKNOWN', () => bed.sessions.ofApp(2).login(ofOther))
      expect(bed.sandbox.calls(EXCHANGE)).to.have.length(1)
    })

    it('do not know the sessions of others, and do not end them', async () => {
      const { token } = await logIn(bed.sessions)
      const other = bed.sessions.ofApp(2)
      await weappErrorOf('ERR_SESSION_UNKNOWN', () => other.authenticate(token))
      await other.logout(token)
      expect(await bed.sessions.authenticate(token)).to.include({ openid: bed.phone.openid })
      await bed.sessions.ofApp(1).logout(token)
      await weappErrorOf('ERR_SESSION_UNKNOWN', () => bed.sessions.authenticate(token))
    })

    it('know no name of another', async () => {
      const { token } = await logIn(bed.sessions)
      for (const appid of [2, bed.sandbox.apps[1]?.appid ?? '', 'wx0'])
        await weappErrorOf('ERR_APP_UNKNOWN', () => bed.sessions.ofApp(1).authenticate(token, { appid }))
    })

    it('are not widened again', () => {
      const [first = '', second = ''] = bed.sandbox.apps.map(({ appid }) => appid)
      const narrowed = bed.sessions.ofApp(first)
      for (const appid of [second, 2, 'wx0'])
        expect(() => narrowed.with({ appid })).to.throw(
          TypeError,
          `one of the apps that log in here: ${first}`,
        )
      for (const appid of [first, 1]) expect(narrowed.ofApp(appid)).to.have.property('login')
    })

    it('end all sessions of their app at once, and nobody else', async () => {
      const { token } = await logIn(bed.sessions)
      const other = bed.sandbox.phone({ appid: bed.sandbox.apps[1]?.appid ?? '' })
      const theirs = [await bed.logIn(other), await bed.logIn(other)]
      expect(await bed.sessions.ofApp(2).with({ maxSessionsPerUser: 5 }).revokeAll()).to.equal(2)
      for (const each of theirs)
        await weappErrorOf('ERR_SESSION_UNKNOWN', () => bed.sessions.authenticate(each))
      expect(await bed.sessions.authenticate(token)).to.include({ openid: bed.phone.openid })
      expect(await bed.sessions.ofApp(2).revokeAll()).to.equal(0)
      expect(await bed.sessions.authenticate(await bed.logIn(other))).to.include({ appid: other.appid })
    })

    it('end the sessions of all apps where they are narrowed to something else', async () => {
      await logIn(bed.sessions)
      await bed.logIn(bed.sandbox.phone({ appid: bed.sandbox.apps[1]?.appid ?? '' }))
      expect(await bed.sessions.with({ maxSessionsPerUser: 1 }).revokeAll()).to.equal(2)
    })
  })

  it('to the only app end nothing that others keep in the same store', async () => {
    const store = new MemoryStore({ clock: bed.clock })
    const { sandbox, clock } = bed
    const options = { store, clock, wechat: { baseUrl: sandbox.url } }
    const [ownApp, otherApp] = sandbox.apps.map((app) => createSessions({ ...options, apps: [app] }))
    const { token } = await logIn(ownApp as Sessions)
    const narrowed = (otherApp as Sessions).ofApp(1)
    await narrowed.logout(token)
    expect(await narrowed.revokeAll()).to.equal(0)
    expect(await ownApp?.authenticate(token)).to.include({ openid: bed.phone.openid })
    expect(await ownApp?.ofApp(1).revokeAll()).to.equal(1)
    await weappErrorOf('ERR_SESSION_UNKNOWN', async () => ownApp?.authenticate(token))
  })

  describe('to a number of sessions', () => {
    it('end the oldest of a user who logs in once more, whatever the login says', async () => {
      for (const sessions of [bed.sessions.with({ maxSessionsPerUser: 2 }), bed.sessions]) {
        for (let logins = 0; logins < 3; logins += 1)
          await sessions.login({ code: await newCode(), appid: 1, maxSessionsPerUser: 4 })
        expect(await bed.sessions.list(bed.phone)).to.have.length(sessions === bed.sessions ? 4 : 2)
      }
    })

    it('refuse a wrong number of a login all the same', async () => {
      const login = { code: await newCode(), appid: 1, maxSessionsPerUser: -5 }
      const narrowed = bed.sessions.with({ maxSessionsPerUser: 1 })
      const error = await narrowed.login(login).catch((reason: unknown) => reason)
      expect(error).to.be.instanceOf(TypeError)
      expect(bed.sandbox.calls(EXCHANGE)).to.have.length(0)
    })

    it('keep to it also when they are narrowed further', async () => {
      const narrowed = bed.sessions.with({ maxSessionsPerUser: 1 }).ofApp(1).with({ keepPhoneNumbers: true })
      await logIn(narrowed)
      await logIn(narrowed)
      expect(await bed.sessions.list(bed.phone)).to.have.length(1)
    })
  })

  describe('to keeping phone numbers', () => {
    const user = () => ({ appid: bed.phone.appid, openid: bed.phone.openid })

    it('keep the number of a user who is named, unless the call says otherwise', async () => {
      const keeping = bed.sessions.with({ keepPhoneNumbers: true })
      await keeping.phoneNumber({ code: await tap(), ...user(), keep: false })
      await keeping.phoneNumber({ code: await tap(), appid: 1 })
      expect(await bed.sessions.phoneNumberOf(user())).to.equal(null)
      await keeping.phoneNumber({ code: await tap(), ...user() })
      expect(await bed.sessions.phoneNumberOf(user())).to.have.property('purePhoneNumber')
    })

    it('keep them also when they are narrowed further, and until that is taken back', async () => {
      const keeping = bed.sessions.with({ keepPhoneNumbers: true }).ofApp(1)
      await keeping.with({ keepPhoneNumbers: false }).phoneNumber({ code: await tap(), ...user() })
      expect(await bed.sessions.phoneNumberOf(user())).to.equal(null)
      await keeping.phoneNumber({ code: await tap(), ...user() })
      expect(await bed.sessions.phoneNumberOf(user())).to.have.property('purePhoneNumber')
    })
  })

  it('use a code once, together with those that are not', async () => {
    const code = await newCode()
    const origin = { mount: 'spec', peer: '127.0.0.1' }
    const both = [bed.sessions, bed.sessions.ofApp(1)]
    const results = await Promise.all(both.map((sessions) => sessions.login({ code, appid: 1, origin })))
    expect(new Set(results.map(({ token }) => token))).to.have.property('size', 1)
    expect(bed.sandbox.calls(EXCHANGE)).to.have.length(1)
  })

  it('are closed with those that are not, after the logins under way', async () => {
    const login = bed.sessions.ofApp(1).login({ code: await newCode() })
    let hasEnded = false
    void login.then(() => {
      hasEnded = true
    })
    await bed.sessions.close()
    expect(hasEnded).to.equal(true)
  })

  it('refuse what is not an option, or not a value of one', () => {
    const wrong: unknown[] = [
      undefined,
      null,
      'wx',
      { app: 1 },
      { appid: 'wx0' },
      { appid: 3 },
      { maxSessionsPerUser: 0 },
      { maxSessionsPerUser: 1001 },
      { maxSessionsPerUser: '2' },
      { keepPhoneNumbers: 'yes' },
    ]
    for (const scope of wrong) expect(() => bed.sessions.with(scope as SessionsScope)).to.throw(TypeError)
  })
})
