import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSessions, MemoryStore, type Session, WeappError } from '../../lib/index.js'
import { everythingIn, failureOf, weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const STABLE_TOKEN = '/cgi-bin/stable_token'
const PHONE_NUMBER = '/wxa/business/getuserphonenumber'

describe('what is asked of WeChat with an access token', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  const logIn = async (phone = bed.phone): Promise<Session> =>
    (await bed.sessions.login({ code: (await phone.wx.login()).code })).session
  const tap = async (phone = bed.phone) => (await phone.getPhoneNumber()).code
  const tokenCalls = () => bed.sandbox.callCount(STABLE_TOKEN)

  it('has the deadline of wechat.timeoutMs for each call', async () => {
    const own = await openTestBed({ wechat: { timeoutMs: 4321 } })
    const { timeout } = AbortSignal
    const { setTimeout } = globalThis
    const deadlines: number[] = []
    AbortSignal.timeout = (ms) => {
      deadlines.push(ms)
      return timeout.call(AbortSignal, ms)
    }
    globalThis.setTimeout = Object.assign((work: () => void, ms?: number) => {
      deadlines.push(Number(ms))
      return setTimeout(work, ms)
    }, setTimeout)
    try {
      const { session } = await own.sessions.login({ code: (await own.phone.wx.login()).code })
      await own.sessions.phoneNumber({ code: (await own.phone.getPhoneNumber()).code })
      await own.sessions.checkSessionKey(session)
      await own.sessions.resetUserSessionKey(session)
    } finally {
      AbortSignal.timeout = timeout
      globalThis.setTimeout = setTimeout
      await own.close()
    }
    // One for the login, the access token, the phone number, the check and the reset; others are the store's.
    expect(deadlines.filter((ms) => ms === 4321)).to.have.length(5)
  })

  for (const [path, api, ask] of [
    [PHONE_NUMBER, 'the phone number', async () => bed.sessions.phoneNumber({ code: await tap() })],
    [STABLE_TOKEN, 'the access token', () => bed.sessions.accessToken()],
    ['/wxa/checksession', 'checkSessionKey', async () => bed.sessions.checkSessionKey(await logIn())],
  ] as const) {
    it(`is asked by probes only once the quota is used up, each API on its own: ${api}`, async () => {
      const restore = bed.sandbox.misbehave({ errcode: 45009 }, { path })
      for (let times = 0; times < 10; times += 1) await weappErrorOf('ERR_WECHAT_QUOTA', ask)
      expect(bed.sandbox.callCount(path)).to.equal(1)
      await logIn()
      bed.clock.advance(1000)
      await weappErrorOf('ERR_WECHAT_QUOTA', ask)
      expect(bed.sandbox.callCount(path)).to.equal(2)
      restore()
      bed.clock.advance(2000)
      await ask()
    })
  }

  describe('a phone number', () => {
    it('is that of the user, asked for with the openid', async () => {
      const phone = bed.sandbox.phone({ phoneNumber: '123456789', countryCode: 852 })
      const code = await tap(phone)
      const info = await bed.sessions.phoneNumber({ code, openid: phone.openid })
      expect(info).to.include({
        phoneNumber: '+852123456789',
        purePhoneNumber: '123456789',
        countryCode: '852',
      })
      expect(info.watermark?.appid).to.equal(phone.appid)
      expect(JSON.parse(String(bed.sandbox.calls(PHONE_NUMBER)[0]?.body))).to.deep.equal({
        code,
        openid: phone.openid,
      })
    })

    it('needs neither a login nor an openid', async () => {
      expect(await bed.sessions.phoneNumber({ code: await tap() })).to.have.property('purePhoneNumber')
    })

    it('is not given for the code of somebody else, nor twice for one code', async () => {
      const { openid } = bed.phone
      const code = await tap(bed.sandbox.phone())
      await weappErrorOf('ERR_PHONE_CODE_INVALID', () => bed.sessions.phoneNumber({ code, openid }))
      const own = await tap()
      await bed.sessions.phoneNumber({ code: own, openid })
      const error = await weappErrorOf('ERR_PHONE_CODE_INVALID', () =>
        bed.sessions.phoneNumber({ code: own, openid }),
      )
      expect(error.status).to.equal(401)
      expect(everythingIn(error)).not.to.include(own)
    })

    it('is kept only if asked, encrypted, until it is forgotten', async () => {
      const store = new MemoryStore({ clock: bed.clock })
      const written: string[] = []
      const replaceValue = store.replaceValue.bind(store)
      store.replaceValue = async (change, withinMs) => {
        written.push(`${change.id} ${change.to}`)
        return replaceValue(change, withinMs)
      }
      const { sandbox, clock } = bed
      const sessions = createSessions({ apps: sandbox.apps, store, clock, wechat: { baseUrl: sandbox.url } })
      const { openid, appid } = bed.phone
      const info = await sessions.phoneNumber({ code: await tap(), openid })
      expect(await sessions.phoneNumberOf({ appid, openid })).to.equal(null)
      await sessions.phoneNumber({ code: await tap(), openid, keep: true })
      expect(await sessions.phoneNumberOf({ appid, openid })).to.include({ phoneNumber: info.phoneNumber })
      expect(written.join()).not.to.include(info.purePhoneNumber).and.not.to.include(openid)
      await sessions.forgetPhoneNumber({ appid, openid })
      expect(await sessions.phoneNumberOf({ appid, openid })).to.equal(null)
      await sessions.close()
    })

    it('is answered though it cannot be kept, as WeChat gives it only once', async () => {
      const store = new MemoryStore({ clock: bed.clock })
      const own = await openTestBed({ store })
      await own.sessions.accessToken()
      store.replaceValue = () => Promise.reject(new Error('down'))
      const { code } = await own.phone.getPhoneNumber()
      const info = await own.sessions.phoneNumber({ code, openid: own.phone.openid, keep: true })
      expect(info).to.have.property('phoneNumber')
      expect(own.log.join()).to.include('could not be').and.not.to.include(info.purePhoneNumber)
      await own.close()
    })

    it('cannot be kept for nobody', async () => {
      const code = await tap()
      expect(await failureOf(() => bed.sessions.phoneNumber({ code, keep: true }))).to.be.instanceOf(
        TypeError,
      )
    })
  })

  describe('the access token', () => {
    it('is fetched once for many calls', async () => {
      const codes = await Promise.all(Array.from({ length: 20 }, () => tap()))
      await Promise.all(codes.map((code) => bed.sessions.phoneNumber({ code })))
      expect(tokenCalls()).to.equal(1)
    })

    for (const [what, end] of [
      ['expired', () => bed.sandbox.expireAccessToken()],
      ['revoked', () => bed.sandbox.revokeAccessToken()],
    ] as const) {
      it(`is fetched once more when WeChat says that it is ${what}, and the call made again`, async () => {
        await bed.sessions.phoneNumber({ code: await tap() })
        end()
        const codes = await Promise.all(Array.from({ length: 20 }, () => tap()))
        await Promise.all(codes.map((code) => bed.sessions.phoneNumber({ code })))
        expect(tokenCalls()).to.equal(2)
        const forced = bed.sandbox
          .calls(STABLE_TOKEN)
          .filter(({ body }) => String(body).includes('force_refresh'))
        expect(forced).to.deep.equal([])
      })
    }

    it('that WeChat goes on refusing is fetched no third time', async () => {
      bed.sandbox.misbehave({ errcode: 40001 }, { path: PHONE_NUMBER })
      const code = await tap()
      await weappErrorOf('ERR_ACCESS_TOKEN_UNAVAILABLE', () => bed.sessions.phoneNumber({ code }))
      expect(bed.sandbox.callCount(PHONE_NUMBER)).to.equal(2)
      expect(bed.log.join()).to.include('phone number').and.to.include('40001')
    })

    it('is renewed at most every ten seconds while WeChat refuses to, and serves on meanwhile', async () => {
      const warned = async (times: number) => {
        while (bed.log.length < times) await new Promise((resolve) => setImmediate(resolve))
      }
      const token = await bed.sessions.accessToken()
      bed.clock.advance(115 * 60_000)
      bed.sandbox.misbehave({ errcode: 45011 }, { path: STABLE_TOKEN })
      for (let asked = 0; asked < 5; asked += 1) expect(await bed.sessions.accessToken()).to.equal(token)
      await warned(1)
      bed.clock.advance(9_999)
      expect(await bed.sessions.accessToken()).to.equal(token)
      expect(tokenCalls()).to.equal(2)
      bed.clock.advance(1)
      expect(await bed.sessions.accessToken()).to.equal(token)
      await warned(2)
      expect(tokenCalls()).to.equal(3)
    })

    it('is given out for other APIs, and replaced when it is said to be refused', async () => {
      const token = await bed.sessions.accessToken()
      expect(await bed.sessions.accessToken({ appid: bed.phone.appid })).to.equal(token)
      bed.sandbox.revokeAccessToken()
      expect(await bed.sessions.accessToken({ refused: token })).not.to.equal(token)
    })

    it('of an app that is not there is a rejection, as every failure is', async () => {
      const outcome = bed.sessions.accessToken({ appid: 'wx' }).catch((error: unknown) => error)
      expect(await outcome).to.include({ code: 'ERR_APP_UNKNOWN' })
      const user = { appid: 'wx', openid: 'o1' }
      const forgotten = bed.sessions.forgetPhoneNumber(user).catch((error: unknown) => error)
      expect(await forgotten).to.include({ code: 'ERR_APP_UNKNOWN' })
    })

    it('is not waited for by a login', async () => {
      bed.sandbox.misbehave('hang', { path: STABLE_TOKEN })
      await logIn()
      expect(tokenCalls()).to.equal(0)
    })

    it('comes from the provider of the application, where there is one', async () => {
      const given = await bed.sessions.accessToken()
      const asked: object[] = []
      const own = await openTestBed({
        accessTokenProvider: async (request) => {
          asked.push(request)
          return request.refused === undefined ? 'stale' : given
        },
        wechat: { baseUrl: bed.sandbox.url },
      })
      const { appid } = bed.phone
      await own.sessions.phoneNumber({ code: await tap() })
      expect(asked).to.deep.equal([
        { appid, refused: undefined },
        { appid, refused: 'stale' },
      ])
      await own.close()
    })

    for (const [what, accessTokenProvider, reason] of [
      [
        'fails',
        () => Promise.reject(new TypeError('no token server')),
        /TypeError: no token server\n.* at .*wechat-calls\.spec/s,
      ],
      ['answers nothing', async () => '', /did not return a non-empty string/],
      ['never answers', () => new Promise<string>(() => {}), /took longer than 20 ms/],
    ] as const) {
      it(`is not there when the provider ${what}, and the log tells why`, async () => {
        const own = await openTestBed({ accessTokenProvider, wechat: { timeoutMs: 20 } })
        const error = await weappErrorOf('ERR_ACCESS_TOKEN_UNAVAILABLE', () => own.sessions.accessToken())
        expect(error.message).not.to.include('token server')
        expect(own.log).to.have.lengthOf(1)
        expect(own.log[0]).to.match(reason)
        await own.close()
      })
    }

    it('is refused as the provider refuses it, on purpose', async () => {
      const refusal = new WeappError('ERR_REQUEST_INVALID', 'This app has none.')
      const own = await openTestBed({ accessTokenProvider: () => Promise.reject(refusal) })
      expect(await failureOf(() => own.sessions.accessToken())).to.equal(refusal)
      expect(own.log).to.deep.equal([])
      await own.close()
    })
  })

  describe('a session_key', () => {
    it('is valid until WeChat replaces it', async () => {
      const session = await logIn()
      expect(await bed.sessions.checkSessionKey(session)).to.equal(true)
      bed.sandbox.rotateSessionKey(bed.phone)
      expect(await bed.sessions.checkSessionKey(session)).to.equal(false)
    })

    it('of a session that has ended is not asked about', async () => {
      const session = await logIn()
      await bed.sessions.revoke(session)
      await weappErrorOf('ERR_SESSION_UNKNOWN', () => bed.sessions.checkSessionKey(session))
    })

    it('is reset in all sessions of the user at once', async () => {
      const sessions = [await logIn(), await logIn(), await logIn()]
      const [first] = sessions as [Session]
      const before = bed.sandbox.sessionKeyOf(bed.phone)
      expect(await bed.sessions.resetUserSessionKey(first)).to.equal(3)
      expect(bed.sandbox.sessionKeyOf(bed.phone)).not.to.equal(before)
      for (const session of sessions) expect(await bed.sessions.checkSessionKey(session)).to.equal(true)
    })

    it('is reset with the key of the session named, however many newer logins there are', async () => {
      const session = await logIn()
      for (let logins = 0; logins < 5; logins += 1) await logIn()
      const { code } = await bed.phone.wx.login()
      const { encryptedData, iv } = await bed.phone.wx.getWeRunData()
      await bed.sessions.decrypt(session, { encryptedData, iv, code })
      expect(await bed.sessions.resetUserSessionKey(session)).to.equal(6)
      expect(await bed.sessions.checkSessionKey(session)).to.equal(true)
    })

    it('is not reset when none of the kept ones is valid', async () => {
      const session = await logIn()
      bed.sandbox.rotateSessionKey(bed.phone)
      await weappErrorOf('ERR_SESSION_KEY_STALE', () => bed.sessions.resetUserSessionKey(session))
      await weappErrorOf('ERR_SESSION_KEY_STALE', () =>
        bed.sessions.resetUserSessionKey({ appid: session.appid, openid: 'nobody' }),
      )
    })
  })

  it('is asked for the app of a narrowed Sessions alone', async () => {
    const narrowed = bed.sessions.ofApp(bed.phone.appid)
    expect(await narrowed.phoneNumber({ code: await tap() })).to.have.property('phoneNumber')
    await weappErrorOf('ERR_APP_UNKNOWN', () => narrowed.phoneNumber({ code: 'x', appid: 'wx' }))
    await weappErrorOf('ERR_APP_UNKNOWN', () => narrowed.accessToken({ appid: 'wx' }))
  })
})
