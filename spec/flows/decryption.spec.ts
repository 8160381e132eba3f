import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore, type Session } from '../../lib/index.js'
import { weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const MOST_FAILURES = 8
const BROKEN = { encryptedData: 'AAAAAAAAAAAAAAAAAAAAAA==', iv: 'AAAAAAAAAAAAAAAAAAAAAA==' }

describe('decryption', () => {
  let bed: TestBed
  let store: WatchedStore
  let session: Session

  beforeEach(async () => {
    const clock = () => bed?.clock() ?? Date.now()
    store = watchStore(new MemoryStore({ clock }))
    bed = await openTestBed({ store })
    session = await logIn()
  })
  afterEach(() => bed.close())

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
      if (method === 'list') throw new Error('down')
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

  it('is refused while the store cannot count', async () => {
    store.before = (method) => {
      if (method === 'claim') throw new Error('OOM')
    }
    await weappErrorOf('ERR_STORE_UNAVAILABLE', steps)
  })
})
