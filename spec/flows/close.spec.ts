import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore, type Session, type SessionStore } from '../../lib/index.js'
import { weappErrorOf } from '../support/failures.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { until } from '../support/until.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

interface Call {
  readonly title: string
  /** The step of the store that is held. */
  readonly step: keyof SessionStore
  make(bed: TestBed, session: Session, token: string): Promise<unknown>
}

const CALLS: Call[] = [
  {
    title: 'a login',
    step: 'issue',
    make: async ({ sessions, phone }) => sessions.login({ code: (await phone.wx.login()).code }),
  },
  {
    title: 'the exchange of a fresh code beside user data',
    step: 'rewrite',
    async make({ sessions, phone }, session) {
      const { code } = await phone.wx.login()
      const { encryptedData, iv } = await phone.wx.getWeRunData()
      return sessions.decrypt(session, { code, encryptedData, iv })
    },
  },
  { title: 'an access token', step: 'replaceValue', make: ({ sessions }) => sessions.accessToken() },
  {
    title: 'a phone number',
    step: 'addToValue',
    async make({ sessions, phone }, { openid }) {
      const { code = '' } = await phone.getPhoneNumber()
      return sessions.phoneNumber({ code, openid })
    },
  },
  {
    title: 'a request with a token',
    step: 'read',
    make: ({ sessions }, _session, token) => sessions.authenticate(token),
  },
  { title: 'a logout', step: 'revoke', make: ({ sessions }, _session, token) => sessions.logout(token) },
  {
    title: 'a profile',
    step: 'writeUserInfo',
    make: ({ sessions }, session) => sessions.setUserInfo(session, { userInfo: { nickName: 'Ann' } }),
  },
  { title: 'the end of all sessions', step: 'revokeBatch', make: ({ sessions }) => sessions.revokeAll() },
]

describe('sessions.close', () => {
  let bed: TestBed
  let store: WatchedStore

  beforeEach(async () => {
    store = watchStore(new MemoryStore())
    bed = await openTestBed({ store })
  })
  afterEach(() => bed.close())

  async function logIn(): Promise<{ session: Session; token: string }> {
    return bed.sessions.login({ code: (await bed.phone.wx.login()).code })
  }

  for (const { title, step, make } of CALLS) {
    it(`waits for ${title}, and then closes the store`, async () => {
      const { session, token } = await logIn()
      let letGo = (): void => undefined
      const held = new Promise<void>((resolve) => {
        letGo = resolve
      })
      let isHeld = false
      store.before = (method) => {
        if (method !== step) return
        isHeld = true
        return held
      }
      const made = make(bed, session, token)
      await until(() => isHeld)
      const closed = bed.sessions.close()
      await new Promise((resolve) => setImmediate(resolve))
      expect(store.calls).not.to.include('close')
      letGo()
      await made
      await closed
      expect(store.calls.at(-1)).to.equal('close')
    })
  }

  it('makes every method ERR_SESSIONS_CLOSED afterwards, also those of narrowed sessions, and asks nobody', async () => {
    const { session, token } = await logIn()
    const narrowed = bed.sessions.ofApp(session.appid)
    await bed.sessions.close()
    const before = store.calls.length
    const uncounted = ['health', 'with', 'ofApp', 'close', 'apps']
    for (const sessions of [bed.sessions, narrowed, bed.sessions.with({})]) {
      const names = (Object.keys(sessions) as (keyof typeof sessions)[]).filter(
        (name) => !uncounted.includes(name),
      )
      expect(names).to.have.lengthOf.above(20)
      for (const name of names) {
        const call = sessions[name] as (...args: unknown[]) => Promise<unknown>
        const error = await weappErrorOf('ERR_SESSIONS_CLOSED', () => call(session, {}))
        expect(error.headers).to.deep.equal({ 'Retry-After': '1' })
      }
    }
    expect(store.calls).to.have.lengthOf(before)
    await bed.me(token).expect(503)
    const { code } = await bed.phone.wx.login()
    await bed.http.post('/login').send({ code }).expect(503).expect('Retry-After', '1')
  })

  it('makes ping fail from the beginning, while other calls are still served', async () => {
    const { token } = await logIn()
    let letGo = (): void => undefined
    store.before = (method) =>
      method === 'read'
        ? new Promise<void>((resolve) => {
            letGo = resolve
          })
        : undefined
    const served = bed.sessions.authenticate(token)
    const closed = bed.sessions.close()
    await weappErrorOf('ERR_SESSIONS_CLOSED', () => bed.sessions.ping())
    letGo()
    expect((await served).openid).to.equal(bed.phone.openid)
    await closed
  })
})
