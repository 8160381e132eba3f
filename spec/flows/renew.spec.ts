import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore, RedisStore, type RotatedSession, type SessionStore } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { weappErrorOf } from '../support/failures.js'
import { sharedRedis } from '../support/shared-redis.js'
import { EXCHANGE, openTestBed, type TestBed, type TestBedOptions } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const origin = { mount: '/session/renewal', nonce: 'n'.repeat(16) }
const HOUR = 3_600_000
const KEYS = ['new-secret-'.repeat(4), 'old-secret-'.repeat(4)] as const

for (const kind of ['memory', 'Redis'] as const) {
  describe(`renewal and rotation in ${kind}`, () => {
    let redis: Redis
    let bed: TestBed
    let store: WatchedStore
    let inner: SessionStore
    let clock: ReturnType<typeof testClock>
    let onLogins = 0
    const clients: Redis[] = []

    beforeEach(async () => {
      redis = new Redis((await sharedRedis()).url)
      await redis.flushall()
      clock = testClock()
      onLogins = 0
      inner = kind === 'memory' ? new MemoryStore({ clock }) : new RedisStore(redis, { clock })
      store = watchStore(inner)
      bed = await openTestBed({ ...options(), store, keys: [KEYS[1]] })
    })
    afterEach(async () => {
      await bed.close()
      for (const client of [redis, ...clients.splice(0)]) client.disconnect()
    })

    const options = () => ({
      clock,
      app: { loginDurationDays: 1, sessionDurationSeconds: 7200 },
      onLogin: () => {
        onLogins += 1
        return { role: 'editor' }
      },
    })
    const user = () => ({ appid: bed.phone.appid, openid: bed.phone.openid })
    const newCode = async (phone = bed.phone) => (await phone.wx.login()).code
    const written = () => store.calls.filter((method) => method === 'replaceValue').length
    /** Resolves when all is written: the claim, the outcome and its end, and, by the first login, the key in use. */
    async function login() {
      const all = written() + (written() === 0 ? 4 : 3)
      const result = await bed.sessions.login({ code: await newCode() })
      while (written() < all) await new Promise(setImmediate)
      return result
    }
    const renew = async (token: string, code?: string, sessions = bed.sessions) =>
      sessions.renew({ token, code: code ?? (await newCode()), origin })
    const isAlive = (token: string, sessions = bed.sessions) =>
      sessions.authenticate(token).then(
        () => true,
        () => false,
      )

    /** Another process on the same store, with other keys if given. */
    async function otherProcess(more: TestBedOptions = {}): Promise<TestBed> {
      const client = redis.duplicate()
      clients.push(client)
      const shared: SessionStore = kind === 'memory' ? inner : new RedisStore(client, { clock })
      return openTestBed({ ...options(), keys: [KEYS[1]], store: shared, ...more })
    }

    /** Calls `work` once, before the next call of this kind reaches the store. */
    function beforeNext(method: keyof SessionStore, work: () => Promise<unknown>): void {
      store.before = async (called) => {
        if (called !== method) return
        store.before = () => undefined
        await work()
      }
    }

    it('renews the login time and both ends, under another token', async () => {
      const { token } = await login()
      clock.advance(HOUR)
      const renewed = await renew(token)
      expect(renewed.token).not.to.equal(token)
      expect(renewed.session.createdAt.getTime()).to.equal(clock())
      expect(renewed.session.expiresAt.getTime()).to.equal(clock() + 24 * HOUR)
      expect(renewed.session.idleExpiresAt.getTime()).to.equal(clock() + 2 * HOUR)
      expect(await bed.sessions.authenticate(renewed.token, { maxAgeSeconds: 1 })).to.deep.equal(
        renewed.session,
      )
      expect(await bed.sessions.list(user())).to.have.length(1)
    })

    it('ends the old token in every process at once', async () => {
      const other = await otherProcess()
      const { token } = await login()
      expect(await isAlive(token, other.sessions)).to.equal(true)
      const renewed = await renew(token)
      expect(await isAlive(token, other.sessions)).to.equal(false)
      expect(await isAlive(renewed.token, other.sessions)).to.equal(true)
      await other.close()
    })

    it('keeps data and profile, and does not call onLogin', async () => {
      const { token, session } = await login()
      await bed.sessions.setData(session, { role: 'owner' })
      await bed.sessions.setUserInfo(session, { userInfo: { nickName: 'Ada' } })
      const renewed = await renew(token)
      expect(renewed.session.data).to.deep.equal({ role: 'owner' })
      expect(renewed.session.userInfo).to.deep.include({ nickName: 'Ada' })
      expect(onLogins).to.equal(1)
    })

    it('keeps data that is set while it is under way', async () => {
      const { token, session } = await login()
      beforeNext('issue', () => bed.sessions.setData(session, { role: 'owner' }))
      expect((await renew(token)).session.data).to.deep.equal({ role: 'owner' })
    })

    it('has the session_key of the fresh code, and still that of the old one', async () => {
      const { token } = await login()
      const old = await bed.phone.wx.getUserInfo()
      const renewed = await renew(token)
      const fresh = await bed.phone.wx.getUserInfo()
      for (const { rawData = '', signature = '' } of [old, fresh])
        await bed.sessions.verifySignature(renewed.session, { rawData, signature })
    })

    it('ends no other session, and is not refused at the cap', async () => {
      const wechat = { baseUrl: bed.sandbox.url }
      const [{ token }, { token: second }] = [await login(), await login()]
      const limited = await otherProcess({ onLimit: 'refuse', maxSessionsPerUser: 1, wechat })
      await renew(token, undefined, limited.sessions)
      expect(await isAlive(second)).to.equal(true)
      expect(await bed.sessions.list(user())).to.have.length(2)
      await limited.close()
    })

    it('refuses the code of somebody else, and leaves the session', async () => {
      const { token } = await login()
      const code = await newCode(bed.sandbox.phone())
      await weappErrorOf('ERR_USER_CHANGED', () => renew(token, code))
      await weappErrorOf('ERR_CODE_INVALID', () => renew(token, code))
      expect(await isAlive(token)).to.equal(true)
    })

    it('refuses an invented code and a used one, and leaves the session', async () => {
      const { token } = await login()
      await weappErrorOf('ERR_CODE_INVALID', () => renew(token, 'invented'))
      const code = await newCode()
      await bed.sessions.login({ code, origin })
      await weappErrorOf('ERR_CODE_INVALID', () => renew(token, code))
      expect(await isAlive(token)).to.equal(true)
    })

    it('spends no code on a session that has ended', async () => {
      const { token } = await login()
      await bed.sessions.logout(token)
      const code = await newCode()
      await weappErrorOf('ERR_SESSION_UNKNOWN', () => renew(token, code))
      expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
      await bed.sessions.login({ code })
    })

    for (const [what, end] of [
      ['logout', (token: string) => bed.sessions.logout(token)],
      ['revokeUser', () => bed.sessions.revokeUser(user())],
      ['revokeAll', () => bed.sessions.revokeAll()],
      [
        'a login that replaces it',
        (token: string) => newCode().then((code) => bed.sessions.login({ code, presentedToken: token })),
      ],
    ] as const) {
      for (const moment of ['read', 'issue'] as const) {
        it(`does not revive a session that is ended by ${what} before its ${moment}`, async () => {
          const { token } = await login()
          const code = await newCode()
          if (moment === 'issue') beforeNext('issue', () => end(token))
          else beforeNext('replaceValue', () => end(token))
          await weappErrorOf('ERR_SESSION_UNKNOWN', () => renew(token, code))
          const left = await bed.sessions.list(user())
          expect(left).to.have.length(what.startsWith('a login') ? 1 : 0)
          expect(await isAlive(token)).to.equal(false)
        })
      }
    }

    it('gives a client that lost the response the same token again, with the dead one', async () => {
      const { token } = await login()
      const code = await newCode()
      const first = await renew(token, code)
      const again = await renew(token, code)
      expect(again).to.deep.equal(first)
      expect(bed.sandbox.callCount(EXCHANGE)).to.equal(2)
      expect(await bed.sessions.list(user())).to.have.length(1)
    })

    it('gives two requests that are one the same token', async () => {
      const { token } = await login()
      const code = await newCode()
      const [one, other] = await Promise.all([renew(token, code), renew(token, code)])
      expect(one?.token).to.equal(other?.token)
    })

    it('gives nothing to whoever has the code, but not the nonce or the old token', async () => {
      const [{ token }, { token: second }] = [await login(), await login()]
      const code = await newCode()
      await renew(token, code)
      for (const request of [
        { token, code, origin: { ...origin, nonce: 'm'.repeat(16) } },
        { token, code },
        { token: second, code, origin },
      ])
        await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.renew(request))
      await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.login({ code, origin }))
      await weappErrorOf('ERR_CODE_INVALID', () =>
        bed.sessions.login({ code, origin: { ...origin, mount: '/login' } }),
      )
    })

    it('lets exactly one of many renewals and rotations win', async () => {
      const { token, session } = await login()
      const codes = await Promise.all(Array.from({ length: 4 }, () => newCode()))
      const work: Promise<RotatedSession>[] = [
        ...codes.map((code) => bed.sessions.renew({ token, code })),
        ...codes.map(() => bed.sessions.rotate(session)),
      ]
      const results = await Promise.allSettled(work)
      const tokens = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.token] : []))
      expect(tokens).to.have.length(1)
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason.code).to.equal('ERR_SESSION_UNKNOWN')
      expect(await bed.sessions.list(user())).to.have.length(1)
      expect(await isAlive(tokens[0] ?? '')).to.equal(true)
    })

    it('leaves the old token when the store refuses to write', async () => {
      const { token, session } = await login()
      for (const method of ['issue', 'rewrite'] as const) {
        beforeNext(method, () => Promise.reject(new Error('READONLY')))
        await weappErrorOf('ERR_STORE_UNAVAILABLE', () =>
          method === 'issue' ? renew(token) : bed.sessions.rotate(session),
        )
        expect(await isAlive(token)).to.equal(true)
      }
    })

    it('needs a token', async () => {
      const code = await newCode()
      await weappErrorOf('ERR_TOKEN_MISSING', () => bed.sessions.renew({ token: undefined, code }))
      await weappErrorOf('ERR_TOKEN_MALFORMED', () => renew('x', code))
      await bed.sessions.login({ code })
    })

    describe('of a session under an older key', () => {
      let newer: TestBed
      let newerStore: WatchedStore

      beforeEach(async () => {
        newerStore = watchStore(inner)
        newer = await openTestBed({
          ...options(),
          store: newerStore,
          keys: KEYS,
          wechat: { baseUrl: bed.sandbox.url },
        })
      })
      afterEach(() => newer.close())

      const renewNewer = async (token: string) => newer.sessions.renew({ token, code: await newCode() })

      it('moves it to the newest one, with profile and data', async () => {
        const { token, session } = await login()
        await bed.sessions.setUserInfo(session, { userInfo: { nickName: 'Ada' } })
        const renewed = await renewNewer(token)
        expect(renewed.session.userInfo).to.deep.include({ nickName: 'Ada' })
        expect(renewed.session.data).to.deep.equal({ role: 'editor' })
        expect(renewed.token.slice(0, 20)).not.to.equal(token.slice(0, 20))
        expect(await isAlive(token)).to.equal(false)
        expect(await newer.sessions.list(user())).to.have.length(1)
      })

      it('keeps data that is set while it is under way', async () => {
        const { token, session } = await login()
        newerStore.before = async (method) => {
          if (method !== 'issue') return
          newerStore.before = () => undefined
          await bed.sessions.setData(session, { role: 'owner' })
        }
        const renewed = await renewNewer(token)
        expect(renewed.session.data).to.deep.equal({ role: 'owner' })
        expect(await isAlive(token)).to.equal(false)
        expect(await newer.sessions.list(user())).to.have.length(1)
      })

      it('does not revive one that ends in between', async () => {
        const { token } = await login()
        newerStore.before = async (method) => {
          if (method === 'issue') await bed.sessions.logout(token)
        }
        await weappErrorOf('ERR_SESSION_UNKNOWN', () => renewNewer(token))
        expect(await newer.sessions.list(user())).to.deep.equal([])
      })

      it('leaves one session of two renewals', async () => {
        const { token } = await login()
        const results = await Promise.allSettled([renewNewer(token), renewNewer(token)])
        expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1)
        expect(await newer.sessions.list(user())).to.have.length(1)
      })

      it('leaves the old one when it cannot be ended', async () => {
        const { token } = await login()
        newerStore.before = async (method) => {
          if (method === 'rewrite') throw new Error('READONLY')
        }
        await weappErrorOf('ERR_STORE_UNAVAILABLE', () => renewNewer(token))
        expect(await isAlive(token)).to.equal(true)
        expect(await newer.sessions.list(user())).to.have.length(1)
      })

      it('ends the old one although it cannot be cleared away', async () => {
        const { token } = await login()
        newerStore.before = async (method) => {
          if (method === 'revoke') throw new Error('READONLY')
        }
        const renewed = await renewNewer(token)
        expect(await isAlive(token)).to.equal(false)
        expect(await isAlive(renewed.token, newer.sessions)).to.equal(true)
      })

      it('rotates it where it is', async () => {
        const { token, session } = await login()
        const rotated = await newer.sessions.rotate(session)
        expect(await isAlive(token)).to.equal(false)
        expect(await isAlive(rotated.token)).to.equal(true)
      })
    })

    it('rotates: another token for the same login, the old one dead in every process', async () => {
      const other = await otherProcess()
      const { token, session } = await login()
      clock.advance(HOUR)
      const rotated = await bed.sessions.rotate(session)
      expect(rotated.token).not.to.equal(token)
      expect(await isAlive(token, other.sessions)).to.equal(false)
      const { sessionId, ...rest } = await other.sessions.authenticate(rotated.token)
      const { sessionId: old, ...before } = session
      expect(sessionId).not.to.equal(old)
      expect({ ...rest, lastVisitAt: 0, idleExpiresAt: 0 }).to.deep.equal({
        ...before,
        lastVisitAt: 0,
        idleExpiresAt: 0,
      })
      expect(rotated.session.createdAt).to.deep.equal(session.createdAt)
      await other.close()
    })

    it('rotates with new data in the same step, and keeps the session_key', async () => {
      const { session } = await login()
      const { rawData = '', signature = '' } = await bed.phone.wx.getUserInfo()
      const rotated = await bed.sessions.rotate(session, { data: { role: 'merged' } })
      expect(rotated.session.data).to.deep.equal({ role: 'merged' })
      expect((await bed.sessions.authenticate(rotated.token)).data).to.deep.equal({ role: 'merged' })
      expect(await bed.sessions.checkSessionKey(rotated.session)).to.equal(true)
      await bed.sessions.verifySignature(rotated.session, { rawData, signature })
    })

    it('rotates after everything else of the user was ended', async () => {
      const { session } = await login()
      await bed.sessions.revokeUser(session, { exceptSessionId: session.sessionId })
      expect(await isAlive((await bed.sessions.rotate(session)).token)).to.equal(true)
    })

    it('rotates no session that has ended, and refuses an unknown option', async () => {
      const { session } = await login()
      const unknown = bed.sessions.rotate(session, { dta: 1 } as never)
      expect(await unknown.catch((error: unknown) => error)).to.be.instanceOf(TypeError)
      beforeNext('rewrite', () => bed.sessions.revoke(session))
      await weappErrorOf('ERR_SESSION_UNKNOWN', () => bed.sessions.rotate(session))
      expect(await bed.sessions.list(user())).to.deep.equal([])
    })

    it('costs the round trips that are documented', async () => {
      const { session } = await login()
      const code = await newCode()
      const costOf = async (work: () => Promise<unknown>) => {
        store.calls.length = 0
        await work()
        return [...store.calls]
      }
      const rotated: string[] = []
      const rotation = await costOf(async () => {
        rotated.push((await bed.sessions.rotate(session)).token)
      })
      expect(rotation).to.deep.equal(['read', 'rewrite'])
      const renewal = await costOf(() => bed.sessions.renew({ token: rotated[0], code }))
      // What the outcome of the code costs comes after the response.
      expect(renewal.slice(0, 4)).to.deep.equal(['read', 'replaceValue', 'read', 'issue'])
    })
  })
}
