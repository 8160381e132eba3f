import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore, type Session } from '../../lib/index.js'
import { encryptOpenData } from '../../sandbox/open-data.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const MOST_FAILURES = 8
const BROKEN = { encryptedData: 'AAAAAAAAAAAAAAAAAAAAAA==', iv: 'AAAAAAAAAAAAAAAAAAAAAA==' }

describe('decryption', () => {
  let bed: TestBed
  let store: WatchedStore
  let session: Session
  let elsewhere: TestBed | undefined

  beforeEach(async () => {
    const clock = () => bed?.clock() ?? Date.now()
    store = watchStore(new MemoryStore({ clock }))
    bed = await openTestBed({ store })
    session = await logIn()
    elsewhere = undefined
  })
  afterEach(async () => {
    await elsewhere?.close()
    await bed.close()
  })

  const codeOf = async (phone = bed.phone) => (await phone.wx.login()).code
  const logIn = async (phone = bed.phone) => (await bed.sessions.login({ code: await codeOf(phone) })).session
  const steps = async () => bed.sessions.decrypt(session, await bed.phone.wx.getWeRunData(), { as: 'weRun' })
  const fail = () => weappErrorOf('ERR_SESSION_KEY_STALE', () => bed.sessions.decrypt(session, BROKEN))

  async function failAll(): Promise<void> {
    for (let failures = 0; failures < MOST_FAILURES; failures += 1) await fail()
  }

  it('is refused after eight failures, good data too, and tells the log once', async () => {
    await failAll()
    for (let more = 0; more < 5; more += 1) {
      const error = await weappErrorOf('ERR_DECRYPTION_LIMIT', steps)
      expect(error).to.include({ status: 429, retryAfterSeconds: 600 })
    }
    expect(bed.log).to.have.length(1)
    expect(bed.log[0]).to.include(session.openid).and.to.include(session.appid)
  })

  it('is possible again ten minutes after the failures, to the millisecond', async () => {
    await failAll()
    bed.clock.advance(599_999)
    await weappErrorOf('ERR_DECRYPTION_LIMIT', steps)
    bed.clock.advance(1)
    await steps()
  })

  it('counts data of another shape than was asked for, but not data of no form at all', async () => {
    const { encryptedData, iv } = await bed.phone.wx.getWeRunData()
    for (let failures = 0; failures < MOST_FAILURES; failures += 1) {
      await weappErrorOf('ERR_DATA_MALFORMED', () =>
        bed.sessions.decrypt(session, { encryptedData, iv: 'x' }),
      )
      await weappErrorOf('ERR_DATA_MALFORMED', () =>
        bed.sessions.decrypt(session, { encryptedData, iv }, { as: 'phone' }),
      )
    }
    await weappErrorOf('ERR_DECRYPTION_LIMIT', steps)
  })

  it('counts data that the right key opens and that is no good, as a forger may have joined it', async () => {
    const iv = BROKEN.iv
    const text = `{"nickName":"A","nickName":"B","watermark":{"timestamp":1,"appid":"${session.appid}"}}`
    const encryptedData = encryptOpenData(text, bed.sandbox.sessionKeyOf(bed.phone), iv)
    for (let failures = 0; failures < MOST_FAILURES; failures += 1)
      await weappErrorOf('ERR_DATA_MALFORMED', () => bed.sessions.decrypt(session, { encryptedData, iv }))
    await weappErrorOf('ERR_DECRYPTION_LIMIT', steps)
  })

  it('counts for all sessions of a user, and for logins that bring data, but not for other logins', async () => {
    await failAll()
    const [other, code] = [await logIn(), await codeOf()]
    const { encryptedData, iv } = await bed.phone.wx.getUserInfo()
    await weappErrorOf('ERR_DECRYPTION_LIMIT', () =>
      bed.sessions.decrypt(other, { encryptedData: encryptedData ?? '', iv }),
    )
    await weappErrorOf('ERR_DECRYPTION_LIMIT', () => bed.sessions.login({ code, encryptedData, iv }))
    await weappErrorOf('ERR_DECRYPTION_LIMIT', () => bed.sessions.setUserInfo(session, { encryptedData, iv }))
    await logIn()
  })

  it('counts for nobody else', async () => {
    await failAll()
    const phone = bed.sandbox.phone()
    await bed.sessions.decrypt(await logIn(phone), await phone.wx.getWeRunData())
  })

  it('spends no code of a user who is to be refused', async () => {
    await failAll()
    const code = await codeOf()
    const data = { ...(await bed.phone.wx.getWeRunData()), code }
    await weappErrorOf('ERR_DECRYPTION_LIMIT', () => bed.sessions.decrypt(session, data))
    await bed.sessions.login({ code })
  })

  it('does not count what succeeds, however much comes at once', async () => {
    const data = await bed.phone.wx.getWeRunData()
    await Promise.all(Array.from({ length: 50 }, () => bed.sessions.decrypt(session, data)))
    await failAll()
  })

  it('does not count what the store or WeChat is to blame for', async () => {
    store.before = (method) => {
      if (method === 'readUser') throw new Error('down')
    }
    for (let failures = 0; failures < 20; failures += 1) await weappErrorOf('ERR_STORE_UNAVAILABLE', steps)
    store.before = () => undefined
    bed.sandbox.misbehave({ errcode: -1 })
    const { encryptedData, iv } = await bed.phone.wx.getWeRunData()
    const code = await codeOf()
    await weappErrorOf('ERR_WECHAT_BUSY', () => bed.sessions.decrypt(session, { encryptedData, iv, code }))
    bed.sandbox.behave()
    await failAll()
  })

  it('is refused while the store cannot tell the count', async () => {
    store.before = (method) => {
      if (method === 'readValue') throw new Error('down')
    }
    await weappErrorOf('ERR_STORE_UNAVAILABLE', steps)
  })

  it('needs no store that can be written to, as long as it succeeds', async () => {
    store.before = (method) => {
      if (method === 'addToValue') throw new Error('OOM')
    }
    await steps()
    for (let failures = 0; failures < MOST_FAILURES; failures += 1)
      await weappErrorOf('ERR_STORE_UNAVAILABLE', () => bed.sessions.decrypt(session, BROKEN))
    await weappErrorOf('ERR_DECRYPTION_LIMIT', () => bed.sessions.decrypt(session, BROKEN))
  })

  it('is bounded also where the store is slow, and turns are given up', async () => {
    let looked = 0
    store.before = async (method) => {
      if (method === 'readUser') looked += 1
      await delay(5)
    }
    await bed.close()
    bed = await openTestBed({ store, storeTimeoutMs: 20 })
    session = await logIn()
    looked = 0
    await Promise.allSettled(Array.from({ length: 100 }, () => bed.sessions.decrypt(session, BROKEN)))
    expect(looked).to.be.at.most(MOST_FAILURES)
  })

  it('costs one read more than the list of the keys, and nothing else', async () => {
    // What follows the login is written behind it.
    await new Promise(setImmediate)
    store.calls.length = 0
    await steps()
    expect(store.calls).to.deep.equal(['readValue', 'readUser'])
  })

  it('counts whatever a reader of the application does not take, or throws at', async () => {
    const data = await bed.phone.wx.getWeRunData()
    for (let failures = 0; failures < MOST_FAILURES / 2; failures += 1) {
      await weappErrorOf('ERR_DATA_MALFORMED', () =>
        bed.sessions.decrypt(session, data, { as: () => undefined }),
      )
      const bug = await failureOf(() =>
        bed.sessions.decrypt(session, data, {
          as: () => {
            throw new RangeError('a bug')
          },
        }),
      )
      expect(bug).to.be.instanceOf(RangeError)
    }
    await weappErrorOf('ERR_DECRYPTION_LIMIT', steps)
  })

  it('takes no promise of a reader for good data', async () => {
    const data = await bed.phone.wx.getWeRunData()
    // As a query of a database is: it is run when somebody waits for it.
    const query = Object.defineProperty({}, 'then', {
      value: (resolve: (found: string) => void) => resolve('good'),
    })
    for (const as of [async () => 'good', async () => Promise.reject(new Error('bad')), () => query])
      expect(await failureOf(() => bed.sessions.decrypt(session, data, { as }))).to.be.instanceOf(TypeError)
  })

  it('holds up no login that has the same code in use', async () => {
    const code = await codeOf()
    const { encryptedData, iv } = await bed.phone.wx.getUserInfo()
    bed.sandbox.misbehave({ slowMs: 100 }, { times: 1 })
    const data = { code, encryptedData, iv }
    const [login, profile] = await Promise.all([
      bed.sessions.login(data),
      bed.sessions.setUserInfo(session, data),
    ])
    expect([login.session.userInfo?.verified, profile?.verified]).to.deep.equal([true, true])
  })

  it('spends no code of a user who is to be refused, signed or not', async () => {
    await failAll()
    const code = await codeOf()
    const { encryptedData, iv, rawData, signature } = await bed.phone.wx.getUserInfo()
    bed.sandbox.clearCalls()
    for (const data of [
      { encryptedData, iv },
      { encryptedData, iv, rawData, signature },
    ])
      await weappErrorOf('ERR_DECRYPTION_LIMIT', () => bed.sessions.setUserInfo(session, { ...data, code }))
    expect(bed.sandbox.callCount('/sns/jscode2session')).to.equal(0)
  })

  it('counts codes that are refused, of data that is signed too, in all processes, and data of theirs with it', async () => {
    const other = await openTestBed({ store, clock: bed.clock })
    elsewhere = other
    const { encryptedData, iv, rawData, signature } = await bed.phone.wx.getUserInfo()
    const before = bed.sandbox.callCount('/sns/jscode2session')
    for (let tries = 0; tries < MOST_FAILURES; tries += 1) {
      const { sessions } = tries % 2 ? bed : other
      const data = tries % 3 ? { encryptedData, iv } : { rawData, signature }
      const code = tries === 5 ? await codeOf(bed.sandbox.phone()) : `invented-${tries}`
      const refusal = tries === 5 ? 'ERR_USER_CHANGED' : 'ERR_CODE_INVALID'
      await weappErrorOf(refusal, () => sessions.setUserInfo(session, { ...data, code }))
    }
    expect(bed.sandbox.callCount('/sns/jscode2session') - before).to.equal(MOST_FAILURES / 2)
    await weappErrorOf('ERR_DECRYPTION_LIMIT', steps)
  })

  it('does not count codes that WeChat could not look at', async () => {
    const restore = bed.sandbox.misbehave('http500')
    const data = await bed.phone.wx.getWeRunData()
    for (let tries = 0; tries <= MOST_FAILURES; tries += 1) {
      const code = await codeOf()
      await weappErrorOf('ERR_WECHAT_ANSWER_INVALID', () => bed.sessions.decrypt(session, { ...data, code }))
    }
    restore()
    const code = await codeOf()
    await bed.sessions.decrypt(session, { ...(await bed.phone.wx.getWeRunData()), code })
  })

  it('refuses options that it does not know', async () => {
    const data = await bed.phone.wx.getWeRunData()
    for (const options of [{ kind: 'phone' }, { maxAge: 1 }, { as: 'phone', ivIsKey: true, more: 1 }])
      expect(await failureOf(() => bed.sessions.decrypt(session, data, options as never))).to.be.instanceOf(
        TypeError,
      )
  })
})
