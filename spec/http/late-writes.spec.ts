import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

/** A server that stands still for longer than anybody waits, and then carries out what it was sent. */
describe('what was answered 503 while Redis stood still', () => {
  let server: RedisServer
  let redis: Redis
  let store: WatchedStore
  let bed: TestBed

  beforeEach(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
    store = watchStore(new RedisStore(redis))
    bed = await openTestBed({ store, storeTimeoutMs: 1000, maxSessionsPerUser: 3 })
    // What the store learns of the time in Redis at its first change.
    await bed.logIn(bed.sandbox.phone())
  })
  afterEach(async () => {
    server.resume()
    await bed.close()
    redis.disconnect()
    await server.stop()
  })

  const user = () => ({ appid: bed.phone.appid, openid: bed.phone.openid })
  const ids = async () => (await bed.sessions.list(user())).map(({ sessionId }) => sessionId)

  /** Answers once Redis has woken up and has carried out, or not, all that it was sent. */
  async function duringPause(work: () => Promise<unknown>): Promise<void> {
    server.pause()
    try {
      await work()
    } finally {
      server.resume()
    }
    await redis.ping()
  }

  it('ends no session: neither the presented one, nor one too many', async () => {
    const tokens = [await bed.logIn(), await bed.logIn(), await bed.logIn()]
    const before = await ids()
    // The code is claimed before Redis stops, so that what stops is the writing of the session.
    store.before = (method) => {
      if (method === 'issue') server.pause()
    }
    for (const presented of [tokens[0] ?? '', '']) {
      const { code } = await bed.phone.wx.login()
      await bed.http.post('/login').set('x-3rd-session', presented).send({ code }).expect(503)
      server.resume()
      await redis.ping()
    }
    store.before = () => undefined
    expect(await ids()).to.deep.equal(before)
    for (const token of tokens) await bed.me(token).expect(200)
  })

  it('ends no login that came after it', async () => {
    const old = await bed.logIn()
    await duringPause(async () => {
      await bed.http.delete('/sessions').set('x-3rd-session', old).expect(503)
    })
    const token = await bed.logIn()
    await bed.me(old).expect(200)
    await bed.me(token).expect(200)
  })

  it('overwrites no profile that was written after it', async () => {
    const token = await bed.logIn()
    const put = (nickName: string) =>
      bed.http.put('/session/user-info').set('x-3rd-session', token).send({ userInfo: { nickName } })
    await duringPause(async () => void (await put('late').expect(503)))
    await put('Ada').expect(200)
    const { body } = await bed.me(token).expect(200)
    expect(body.userInfo.nickName).to.equal('Ada')
  })

  it('ends no session by a logout, which may be sent again', async () => {
    const token = await bed.logIn()
    await duringPause(async () => {
      await bed.http.post('/logout').set('x-3rd-session', token).expect(503)
    })
    await bed.me(token).expect(200)
    await bed.http.post('/logout').set('x-3rd-session', token).expect(204)
    await bed.me(token).expect(401)
  })
})
