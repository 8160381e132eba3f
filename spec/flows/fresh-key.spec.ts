import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore, type Session } from '../../lib/index.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

describe('a fresh code beside user data', () => {
  let bed: TestBed

  beforeEach(async () => {
    bed = await openTestBed()
  })
  afterEach(() => bed.close())

  const codeOf = async (phone = bed.phone) => (await phone.wx.login()).code
  const logIn = async (): Promise<Session> => (await bed.sessions.login({ code: await codeOf() })).session
  /** A code, and data made with the key that it stands for. */
  const codeAndData = async (phone = bed.phone) => {
    const code = await codeOf(phone)
    const { encryptedData, iv } = await phone.wx.getWeRunData()
    return { code, encryptedData, iv }
  }

  it('is exchanged once, and its key kept in the session alone', async () => {
    const session = await logIn()
    const data = await codeAndData()
    await bed.sessions.decrypt(session, data)
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(2)
    expect(await bed.sessions.checkSessionKey(session)).to.equal(true)
    expect(await bed.sessions.list(session)).to.have.lengthOf(1)
  })

  it('may come again with a request whose answer was lost, and is not exchanged again', async () => {
    const session = await logIn()
    const data = await codeAndData()
    const answers = await Promise.all(Array.from({ length: 10 }, () => bed.sessions.decrypt(session, data)))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1)
    await bed.sessions.decrypt(session, data)
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(2)
  })

  it('may be one that this user has logged in with', async () => {
    const code = await codeOf()
    const { session } = await bed.sessions.login({ code })
    const { encryptedData, iv } = await bed.phone.wx.getWeRunData()
    await bed.sessions.decrypt(session, { encryptedData, iv, code })
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
  })

  it('is no login afterwards', async () => {
    const session = await logIn()
    const data = await codeAndData()
    await bed.sessions.decrypt(session, data)
    await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.login({ code: data.code }))
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(2)
  })

  it('of another user is ERR_USER_CHANGED, and gives that user’s key to nobody', async () => {
    const session = await logIn()
    const other = bed.sandbox.phone()
    const data = await codeAndData(other)
    await weappErrorOf('ERR_USER_CHANGED', () => bed.sessions.decrypt(session, data))
    // Who brings it later, its owner too, hears only that it was used.
    await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.decrypt(session, data))
    await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.login({ code: data.code }))
    const { code: _code, ...alone } = data
    await weappErrorOf('ERR_SESSION_KEY_STALE', () => bed.sessions.decrypt(session, alone))
  })

  it('that another user has logged in with is used up', async () => {
    const session = await logIn()
    const code = await codeOf(bed.sandbox.phone())
    await bed.sessions.login({ code })
    const { encryptedData, iv } = await bed.phone.wx.getWeRunData()
    await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.decrypt(session, { encryptedData, iv, code }))
  })

  it('is not spent on data of the wrong form, nor on a profile that nobody signed', async () => {
    const session = await logIn()
    const { code, encryptedData } = await codeAndData()
    await weappErrorOf('ERR_DATA_MALFORMED', () =>
      bed.sessions.decrypt(session, { encryptedData, iv: 'x', code }),
    )
    await bed.sessions.setUserInfo(session, { userInfo: { nickName: 'Ada' }, code })
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
    await bed.sessions.login({ code })
  })

  it('is given back when WeChat was busy, so that the same request works later', async () => {
    const session = await logIn()
    const data = await codeAndData()
    bed.sandbox.misbehave({ errcode: 45011 }, { times: 1 })
    await weappErrorOf('ERR_WECHAT_RATE_LIMITED', () => bed.sessions.decrypt(session, data))
    await bed.sessions.decrypt(session, data)
    expect(bed.log.join('\n')).not.to.include(data.code)
  })

  it('that WeChat refuses is refused, and again without asking WeChat', async () => {
    const session = await logIn()
    const { encryptedData, iv } = await codeAndData()
    const calls = bed.sandbox.callCount(EXCHANGE)
    const guessed = { encryptedData, iv, code: 'guessed' }
    await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.decrypt(session, guessed))
    await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.decrypt(session, guessed))
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(calls + 1)
  })

  it('for a user without a session named is kept in all sessions of that user', async () => {
    const sessions = [await logIn(), await logIn()]
    const { appid, openid } = bed.phone
    const code = await codeOf()
    const { rawData, signature } = await bed.phone.wx.getUserInfo({ withCredentials: true })
    for (let times = 0; times < 2; times += 1) {
      await bed.sessions.setUserInfo({ appid, openid }, { rawData, signature, code })
    }
    for (const session of sessions) expect(await bed.sessions.checkSessionKey(session)).to.equal(true)
  })

  it('serves although its key cannot be stored, as it is used up', async () => {
    const store = new MemoryStore({ clock: bed.clock })
    const own = await openTestBed({ store })
    const { session } = await own.sessions.login({ code: await codeOf(own.phone) })
    store.rewrite = () => Promise.reject(new Error('down'))
    const data = await codeAndData(own.phone)
    expect(await own.sessions.decrypt(session, data)).to.have.property('stepInfoList')
    expect(own.log.join()).to.include('rewrite')
    await own.close()
  })

  it('closes the race for signed data as well', async () => {
    const session = await logIn()
    const code = await codeOf()
    const { rawData, signature = '' } = await bed.phone.wx.getUserInfo({ withCredentials: true })
    await weappErrorOf('ERR_SESSION_KEY_STALE', () =>
      bed.sessions.verifySignature(session, { rawData, signature }),
    )
    await bed.sessions.verifySignature(session, { rawData, signature, code })
  })

  it('does not revive a session that has ended', async () => {
    const session = await logIn()
    const data = await codeAndData()
    await bed.sessions.revoke(session)
    await bed.sessions.decrypt(session, data)
    expect(await bed.sessions.list(session)).to.deep.equal([])
  })
})

describe('the data that a call is given', () => {
  it('is refused with 400 where it is no object at all', async () => {
    const bed = await openTestBed({ store: new MemoryStore() })
    const { session } = await bed.sessions.login({ code: (await bed.phone.wx.login()).code })
    for (const nothing of [undefined, null, 'text', []] as never[]) {
      for (const call of [
        () => bed.sessions.decrypt(session, nothing),
        () => bed.sessions.verifySignature(session, nothing),
        () => bed.sessions.phoneNumber(nothing),
      ]) {
        expect(await failureOf(call)).to.include({ code: 'ERR_REQUEST_INVALID', status: 400 })
      }
    }
    await bed.close()
  })
})
