import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import type { Session, Sessions, UserSelector } from '../../lib/index.js'
import { weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

type Call = (sessions: Sessions, user: UserSelector & { sessionId: string }) => Promise<unknown>

const data = { encryptedData: 'AAAAAAAAAAAAAAAAAAAAAA==', iv: 'AAAAAAAAAAAAAAAAAAAAAA==' }
const CALLS: Record<string, Call> = {
  list: (sessions, user) => sessions.list(user),
  revoke: (sessions, user) => sessions.revoke(user),
  revokeUser: (sessions, user) => sessions.revokeUser(user),
  setUserInfo: (sessions, user) => sessions.setUserInfo(user, { userInfo: { nickName: 'Ada' } }),
  'setUserInfo with null': (sessions, user) => sessions.setUserInfo(user, null),
  decrypt: (sessions, user) => sessions.decrypt(user, data),
  verifySignature: (sessions, user) =>
    sessions.verifySignature(user, { rawData: '{}', signature: '0'.repeat(40) }),
  phoneNumberOf: (sessions, user) => sessions.phoneNumberOf(user),
  forgetPhoneNumber: (sessions, user) => sessions.forgetPhoneNumber(user),
  checkSessionKey: (sessions, user) => sessions.checkSessionKey(user),
  resetUserSessionKey: (sessions, user) => sessions.resetUserSessionKey(user),
}

/** What says that the user was not found; for all else the user was. */
const DONE = ['ERR_SESSION_KEY_STALE', undefined]

describe('a user that a call names', () => {
  let bed: TestBed
  let session: Session

  afterEach(() => bed.close())
  async function open(apps: number): Promise<void> {
    bed = await openTestBed({ apps })
    const { code } = await bed.phone.wx.login()
    ;({ session } = await bed.sessions.login({ code, appid: bed.phone.appid }))
  }
  const named = (change: object) =>
    ({ appid: session.appid, openid: session.openid, sessionId: session.sessionId, ...change }) as never

  describe('where one app logs in', () => {
    beforeEach(() => open(1))

    for (const [name, call] of Object.entries(CALLS)) {
      it(`is found with the appid, its id, or neither: ${name}`, async () => {
        for (const appid of [session.appid, 1, undefined]) {
          const code = await call(bed.sessions, named({ appid })).then(
            () => undefined,
            (error) => error.code,
          )
          expect(DONE).to.include(code)
        }
      })
    }

    it('is really the one: the session ends', async () => {
      expect(await bed.sessions.revokeUser({ openid: session.openid })).to.equal(1)
      expect(await bed.sessions.list({ appid: 1, openid: session.openid })).to.deep.equal([])
    })
  })

  describe('where several apps log in', () => {
    beforeEach(() => open(2))

    for (const [name, call] of Object.entries(CALLS)) {
      it(`is refused without the app, and with one that is not known: ${name}`, async () => {
        for (const appid of [undefined, 'wx-misspelled', 99, null, '', {}, session.appid.toUpperCase()])
          await weappErrorOf('ERR_APP_UNKNOWN', () => call(bed.sessions, named({ appid })))
        expect(await bed.sessions.list(session)).to.have.length(1)
      })

      it(`is refused with an openid that is none: ${name}`, async () => {
        for (const openid of [undefined, null, '', ' ', 'o 1', 'o\n1', 7, {}, [], 'o'.repeat(129)]) {
          const error = await weappErrorOf('ERR_REQUEST_INVALID', () => call(bed.sessions, named({ openid })))
          expect(error.message).to.include('"openid"')
        }
        for (const nobody of [undefined, null, 'o1', []])
          await weappErrorOf('ERR_REQUEST_INVALID', () => call(bed.sessions, nobody as never))
        expect(await bed.sessions.list(session)).to.have.length(1)
      })
    }

    it('is of the app that is named, by its id as well', async () => {
      expect(await bed.sessions.list({ appid: 2, openid: session.openid })).to.deep.equal([])
      expect(await bed.sessions.revokeUser({ appid: 1, openid: session.openid })).to.equal(1)
    })

    it('has sessions, whose ids have to be given where one is meant', async () => {
      for (const name of ['revoke', 'decrypt', 'verifySignature', 'checkSessionKey', 'setUserInfo'])
        for (const sessionId of [undefined, null, '', 7, 'A'.repeat(64), 'short']) {
          const error = await weappErrorOf('ERR_REQUEST_INVALID', async () =>
            CALLS[name]?.(bed.sessions, named({ sessionId })),
          )
          expect(error.message).to.include('"sessionId"')
        }
    })

    it('cannot be looked for with options that are misspelled', async () => {
      const { sessions } = bed
      const calls: (() => Promise<unknown>)[] = [
        () => sessions.authenticate('A'.repeat(64), { maxAgeSecond: 1 } as never),
        () => sessions.authenticate('A'.repeat(64), { appId: session.appid } as never),
        () => sessions.phoneNumber({ code: 'x', appid: session.appid, openId: 'o' } as never),
      ]
      for (const call of calls)
        expect(await call().catch((reason: unknown) => reason)).to.be.instanceOf(TypeError)
    })

    for (const [name, call] of Object.entries(CALLS)) {
      it(`is of that app where the sessions are narrowed to one: ${name}`, async () => {
        const own = bed.sessions.ofApp(1)
        for (const appid of [session.appid, 1, undefined]) {
          const code = await call(own, named({ appid })).then(
            () => undefined,
            (error) => error.code,
          )
          expect(DONE).to.include(code)
        }
        for (const appid of [2, 'wx2222222222222222', 'wx-misspelled'])
          await weappErrorOf('ERR_APP_UNKNOWN', () => call(own, named({ appid })))
        await weappErrorOf('ERR_REQUEST_INVALID', () => call(own, undefined as never))
      })
    }

    it('goes on where the sessions of another app are to end', async () => {
      expect(await bed.sessions.ofApp(2).revokeAll()).to.equal(0)
      expect(await bed.sessions.list(session)).to.have.length(1)
    })

    it('keeps the session that is to go on, and all of them where that is named wrongly', async () => {
      const { sessions } = bed
      const user = { appid: session.appid, openid: session.openid }
      for (const wrong of [{ except: session.sessionId }, { exceptSessionID: session.sessionId }]) {
        const error = await sessions.revokeUser(user, wrong as never).catch((reason: unknown) => reason)
        expect(error).to.be.instanceOf(TypeError)
      }
      for (const exceptSessionId of ['', 7, null, 'A'.repeat(64)])
        await weappErrorOf('ERR_REQUEST_INVALID', () =>
          sessions.revokeUser(user, { exceptSessionId } as never),
        )
      expect(await sessions.revokeUser(user, { exceptSessionId: session.sessionId })).to.equal(0)
      expect(await sessions.list(user)).to.have.length(1)
    })
  })
})
