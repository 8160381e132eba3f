import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Session } from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

/** The four ways in which a session_key and the data come apart. */
describe('user data and its session_key', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  const codeOf = async (phone: Phone = bed.phone) => (await phone.wx.login()).code
  const logIn = async (phone: Phone = bed.phone): Promise<Session> =>
    (await bed.sessions.login({ code: await codeOf(phone) })).session
  const steps = async (phone: Phone = bed.phone) => {
    const { encryptedData, iv } = await phone.wx.getWeRunData()
    return { encryptedData, iv }
  }
  const read = async (session: Session, data: { encryptedData: string; iv: string; code?: string }) =>
    (await bed.sessions.decrypt(session, data, { as: 'weRun' })).stepInfoList

  describe('(a) when wx.login is called inside the callback that got the data', () => {
    it('fit with the code sent beside the data, as the old key lies in the session', async () => {
      const session = await logIn()
      const data = await steps()
      const code = await codeOf()
      expect(await read(session, { ...data, code })).to.have.lengthOf(31)
      expect(await read(session, { ...data, code }), 'when the answer was lost').to.have.lengthOf(31)
      expect(await read(session, await steps())).to.have.lengthOf(31)
    })

    it('fit in a login that brings both, though the code replaced the key of the data', async () => {
      const session = await logIn()
      const { encryptedData = '', iv = '' } = await bed.phone.wx.getUserInfo({ withCredentials: true })
      const login = await bed.sessions.login({ code: await codeOf(), encryptedData, iv })
      expect(login.session.userInfo?.verified).to.equal(true)
      expect(login.session.sessionId).not.to.equal(session.sessionId)
    })
  })

  describe('(b) when two devices log in', () => {
    it('fit whichever device made the data, before or after the other logged in', async () => {
      const tablet = bed.sandbox.phone({ user: bed.phone.user })
      const onPhone = await logIn()
      const madeEarly = await steps()
      const onTablet = await logIn(tablet)
      const madeLate = await steps()
      for (const session of [onPhone, onTablet]) {
        expect(await read(session, madeEarly)).to.have.lengthOf(31)
        expect(await read(session, madeLate)).to.have.lengthOf(31)
      }
    })
  })

  describe('(c) when the server holds the key of an older code', () => {
    it('are told apart from broken data, and fit once the newer code comes with them', async () => {
      const session = await logIn()
      const code = await codeOf()
      const data = await steps()
      const error = await weappErrorOf('ERR_SESSION_KEY_STALE', () => read(session, data))
      expect(error.message).to.include('wx.login').and.to.include('code and the data together')
      expect(await read(session, { ...data, code })).to.have.lengthOf(31)
    })

    it('fit from then on without a code, also over HTTP', async () => {
      const token = await bed.logIn()
      const code = await codeOf()
      const { encryptedData, iv, rawData, signature } = await bed.phone.wx.getUserInfo({
        withCredentials: true,
      })
      const put = (body: object) => bed.http.put('/session/user-info').set('x-3rd-session', token).send(body)
      await put({ encryptedData, iv }).expect(409)
      await put({ encryptedData, iv, code }).expect(200)
      await put({ rawData, signature }).expect(200)
    })
  })

  describe('(d) when WeChat replaces the key by itself', () => {
    it('are stale until a fresh code comes with them', async () => {
      const session = await logIn()
      bed.sandbox.rotateSessionKey(bed.phone)
      const data = await steps()
      await weappErrorOf('ERR_SESSION_KEY_STALE', () => read(session, data))
      expect(await bed.sessions.checkSessionKey(session)).to.equal(false)
      await weappErrorOf('ERR_SESSION_KEY_STALE', async () =>
        read(session, { ...data, code: await codeOf() }),
      )
      expect(await read(session, await steps())).to.have.lengthOf(31)
      expect(await bed.sessions.checkSessionKey(session)).to.equal(true)
    })
  })
})
