import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { MemoryStore, RedisStore, type SessionStore } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { releaseCrowd, startCrowd } from '../support/crowd.js'
import { weappErrorOf } from '../support/failures.js'
import { sharedRedis } from '../support/shared-redis.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'
import { until } from '../support/until.js'
import { watchStore } from '../support/watched-store.js'

const origin = { mount: '/login', nonce: 'n'.repeat(16) }

for (const kind of ['memory', 'Redis'] as const) {
  describe(`a login under way when sessions are ended, in ${kind}`, () => {
    let redis: Redis
    let bed: TestBed
    /** Lets the store write logins. */
    let goOn: () => void
    /** Resolves when a login is about to be written. */
    let isAboutToIssue: Promise<void>

    beforeEach(async () => {
      redis = new Redis((await sharedRedis()).url)
      await redis.flushall()
      const clock = testClock()
      const inner: SessionStore = kind === 'memory' ? new MemoryStore({ clock }) : new RedisStore(redis)
      const store = watchStore(inner)
      bed = await openTestBed({ store, ...(kind === 'memory' && { clock }), maxSessionsPerUser: 2, apps: 2 })
      const gate = new Promise<void>((resolve) => {
        goOn = resolve
      })
      isAboutToIssue = new Promise((resolve) => {
        store.before = async (method) => {
          if (method !== 'issue') return
          resolve()
          await gate
        }
      })
    })
    afterEach(async () => {
      await bed.close()
      redis.disconnect()
    })

    const user = () => ({ appid: bed.phone.appid, openid: bed.phone.openid })

    async function loginDuring(
      end: () => Promise<unknown>,
      request: { presentedToken?: string } = {},
    ): Promise<string> {
      const { code } = await bed.phone.wx.login()
      const login = bed.sessions.login({ code, origin, appid: bed.phone.appid, ...request })
      await Promise.race([isAboutToIssue, login])
      await end()
      goOn()
      await weappErrorOf('ERR_CODE_INVALID', () => login)
      return code
    }

    for (const [what, end] of [
      ['revokeUser', () => bed.sessions.revokeUser(user())],
      [
        'revokeUser but for one session',
        () => bed.sessions.revokeUser(user(), { exceptSessionId: 's'.repeat(44) }),
      ],
      ['revokeAll', () => bed.sessions.revokeAll()],
      ['revokeAll of its app', () => bed.sessions.ofApp(bed.phone.appid).revokeAll()],
    ] as const) {
      it(`is refused after ${what}, whatever WeChat said, and its code gives nothing later`, async () => {
        const code = await loginDuring(end)
        expect(await bed.sessions.list(user())).to.deep.equal([])
        await weappErrorOf('ERR_CODE_INVALID', () => bed.sessions.login({ code, origin, appid: 1 }))
        expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
        await bed.logIn()
        expect(await bed.sessions.list(user())).to.have.length(1)
      })
    }

    it('ends no session that began after it, though it would have been one too many', async () => {
      const newer: string[] = []
      await loginDuring(async () => {
        await bed.sessions.revokeUser(user())
        goOn()
        newer.push(await bed.logIn(), await bed.logIn())
      })
      for (const token of newer) await bed.sessions.authenticate(token)
    })

    it('is not disturbed when somebody else, or another app, is ended', async () => {
      const { code } = await bed.phone.wx.login()
      const login = bed.sessions.login({ code, appid: 1 })
      await isAboutToIssue
      await bed.sessions.revokeUser({ ...user(), openid: 'somebody-else' })
      await bed.sessions.ofApp(2).revokeAll()
      goOn()
      expect((await login).session.openid).to.equal(bed.phone.openid)
    })
  })
}

for (const whom of ['everybody', 'an app'] as const) {
  describe(`revokeAll of ${whom}`, () => {
    it('is seen at the next request by every process, before anything has been cleared away', async () => {
      const url = (await sharedRedis()).url
      const clients = [new Redis(url), new Redis(url)] as const
      await clients[0].flushall()
      const [mine, theirs] = clients.map((client) => new RedisStore(client)) as [RedisStore, RedisStore]
      const store = watchStore(mine)
      let steps = 0
      let clearAway = (): void => undefined
      const isSeen = new Promise<void>((resolve) => {
        clearAway = resolve
      })
      store.before = async (method) => {
        // The first step sets the mark.
        if (method === 'revokeBatch' && ++steps > 1) await isSeen
      }
      const bed = await openTestBed({ store, apps: 2 })
      const other = await openTestBed({ store: theirs, apps: 2 })
      const [, second] = bed.sandbox.apps
      const neighbour = bed.sandbox.phone({ appid: second?.appid ?? '' })
      try {
        const tokens: string[] = []
        for (let user = 0; user < 300; user += 1) tokens.push(await bed.logIn(bed.sandbox.phone()))
        const spared = await bed.logIn(neighbour)
        const ended = whom === 'everybody' ? bed.sessions : bed.sessions.ofApp(1)
        const isOver = ended.revokeAll()
        await until(() => steps > 1)
        for (const { sessions } of [other, bed]) {
          for (const token of tokens)
            await weappErrorOf('ERR_SESSION_UNKNOWN', () => sessions.authenticate(token))
          if (whom === 'everybody')
            await weappErrorOf('ERR_SESSION_UNKNOWN', () => sessions.authenticate(spared))
          else expect(await sessions.authenticate(spared)).to.include({ openid: neighbour.openid })
        }
        await bed.sessions.authenticate(await bed.logIn())
        clearAway()
        await isOver
      } finally {
        clearAway()
        await bed.close()
        await other.close()
        for (const client of clients) client.disconnect()
      }
    }).timeout(20_000)
  })
}

describe('a process that has known sessions for a while', () => {
  it('does not know them at the next request after another process has ended their app, and knows all others', async () => {
    const { url } = await sharedRedis()
    const redis = new Redis(url)
    await redis.flushall()
    const bed = await openTestBed({ store: new RedisStore(redis), apps: 2 })
    const [first, second] = bed.sandbox.apps.map(({ appid }) => bed.sandbox.phone({ appid }))
    try {
      const tokens = [await bed.logIn(first), await bed.logIn(second), await bed.logIn(first)]
      const job = { redisUrl: url, apps: bed.sandbox.apps, tokens }
      const other = await startCrowd('asking-process.ts', job)
      expect(await bed.sessions.ofApp(1).revokeAll()).to.equal(2)
      const unknown = 'ERR_SESSION_UNKNOWN'
      expect(await releaseCrowd(other)).to.deep.equal([unknown, 'alive', unknown])
    } finally {
      await bed.close()
      redis.disconnect()
    }
  }).timeout(20_000)
})
