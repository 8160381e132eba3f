import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore, RedisStore, type Session } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { failureOf, weappErrorOf } from '../support/failures.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

const ROLES = { roles: ['reader'], since: { year: 2026 } }

for (const kind of ['memory', 'Redis'] as const) {
  describe(`the data of a session, in ${kind}`, () => {
    let redis: Redis
    let store: WatchedStore
    let bed: TestBed
    let token: string
    let session: Session

    beforeEach(async () => {
      redis = new Redis((await sharedRedis()).url)
      await redis.flushall()
      const clock = testClock()
      store = watchStore(kind === 'memory' ? new MemoryStore({ clock }) : new RedisStore(redis))
      bed = await openTestBed({ store, clock, onLogin: () => ROLES })
      const { code } = await bed.phone.wx.login()
      const login = await bed.sessions.login({ code, userInfo: { nickName: 'Ada' } })
      token = login.token
      session = login.session
    })
    afterEach(async () => {
      await bed.close()
      redis.disconnect()
    })

    const found = async () => (await bed.sessions.authenticate(token)).data
    const write = (target: unknown, name: string) => () => {
      ;(target as Record<string, unknown>)[name] = 'changed'
    }

    it('is frozen wherever it is handed out, as all of the session is', async () => {
      const kept = await bed.sessions.setData(session, ROLES)
      for (const data of [session.data, await found(), kept] as (typeof ROLES)[]) {
        expect(write(data, 'roles')).to.throw(TypeError)
        expect(write(data, 'new')).to.throw(TypeError)
        expect(write(data.since, 'year')).to.throw(TypeError)
        expect(() => data.roles.push('editor')).to.throw(TypeError)
      }
      for (const each of [session, await bed.sessions.authenticate(token)]) {
        expect(write(each, 'data')).to.throw(TypeError)
        expect(write(each.userInfo, 'nickName')).to.throw(TypeError)
      }
      expect(write(await bed.sessions.setUserInfo(session, { userInfo: { nickName: 'Eve' } }), 'x')).to.throw(
        TypeError,
      )
    })

    it('may have 4096 bytes as JSON, and is left as it is for more', async () => {
      await bed.sessions.setData(session, 'a'.repeat(4094))
      const error = await failureOf(() => bed.sessions.setData(session, 'b'.repeat(4095)))
      expect(error).to.be.instanceOf(TypeError).with.property('message').that.includes('4097')
      expect(await found()).to.equal('a'.repeat(4094))
    })

    it('leaves what the application gave its own', async () => {
      const mine = { roles: ['editor'] }
      await bed.sessions.setData(session, mine)
      mine.roles.push('owner')
      expect(await found()).to.deep.equal({ roles: ['editor'] })
    })

    for (const [what, data, kept] of [
      ['an object', { role: 'editor' }, { role: 'editor' }],
      ['what JSON makes of it', { at: new Date(0), no: undefined }, { at: '1970-01-01T00:00:00.000Z' }],
      ['a text with a line end', 'a\nb', 'a\nb'],
      ['false', false, false],
      ['null', null, null],
      ['nothing', undefined, undefined],
      ['a function, which JSON does not know', () => 1, null],
    ] as const) {
      it(`is set, and found by the next request: ${what}`, async () => {
        expect(await bed.sessions.setData(session, data)).to.deep.equal(kept)
        expect(await found()).to.deep.equal(kept)
      })
    }

    it('is not set to what JSON cannot carry', async () => {
      const circle: Record<string, unknown> = {}
      circle.circle = circle
      for (const data of [1n, circle, { deep: [1n] }])
        expect(await failureOf(() => bed.sessions.setData(session, data))).to.be.instanceOf(TypeError)
      expect(await found()).to.deep.equal(ROLES)
    })

    it('is set in one session of a user, and in no other', async () => {
      const { code } = await bed.phone.wx.login()
      const other = await bed.sessions.login({ code })
      await bed.sessions.setData(session, 'mine')
      expect((await bed.sessions.authenticate(other.token)).data).to.deep.equal(ROLES)
    })

    it('moves no end of the session', async () => {
      const { createdAt, expiresAt, idleExpiresAt, lastVisitAt } = await bed.sessions.authenticate(token)
      await bed.sessions.setData(session, 'new')
      const after = await bed.sessions.authenticate(token)
      expect(after).to.deep.include({ createdAt, expiresAt, idleExpiresAt, lastVisitAt })
    })

    it('is not set once the session has ended, also while it is being set', async () => {
      store.before = async (method) => {
        if (method === 'rewrite') await bed.sessions.revoke(session)
      }
      for (let times = 0; times < 2; times += 1)
        await weappErrorOf('ERR_SESSION_UNKNOWN', () => bed.sessions.setData(session, 'new'))
      await weappErrorOf('ERR_SESSION_UNKNOWN', found)
    })

    it('and a key that is replaced in the same moment are both kept, whichever comes first', async () => {
      for (let turn = 0; turn < 5; turn += 1) {
        const { code } = await bed.phone.wx.login()
        const { encryptedData = '', iv = '' } = await bed.phone.wx.getWeRunData()
        await Promise.all([
          bed.sessions.decrypt(session, { encryptedData, iv, code }),
          bed.sessions.setData(session, { turn }),
        ])
        expect(await found()).to.deep.equal({ turn })
        const again = await bed.phone.wx.getWeRunData()
        await bed.sessions.decrypt(session, { encryptedData: again.encryptedData, iv: again.iv })
      }
    })

    it('is set by the last of many who set it at once', async () => {
      await Promise.all(Array.from({ length: 5 }, (_, turn) => bed.sessions.setData(session, { turn })))
      expect(await found())
        .to.have.property('turn')
        .that.is.within(0, 4)
    })

    it('is not lost in silence where others change the record all the time', async () => {
      let turn = 0
      store.before = async (method) => {
        if (method !== 'rewrite') return
        store.before = () => undefined
        turn += 1
        await bed.sessions.setData(session, turn)
        store.before = again
      }
      const again = store.before
      await weappErrorOf('ERR_STORE_UNAVAILABLE', () => bed.sessions.setData(session, 'late'))
      store.before = () => undefined
      expect(await found()).to.equal(turn)
    })

    it('is of one app, where sessions are narrowed to it', async () => {
      const narrowed = bed.sessions.ofApp(session.appid)
      await narrowed.setData(session, 'new')
      expect(await found()).to.equal('new')
      await weappErrorOf('ERR_APP_UNKNOWN', () => narrowed.setData({ ...session, appid: 'wxOther' }, 'x'))
    })
  })
}
