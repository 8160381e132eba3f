import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { type BrokenServer, startGarbageServer, startHangingServer } from '../support/broken-server.js'
import { expectProblem } from '../support/problem.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { until } from '../support/until.js'

const STORE_TIMEOUT_MS = 250
const UNKNOWN = 'A'.repeat(64)

describe('the routes, when Redis fails', () => {
  let redis: Redis
  let bed: TestBed
  const rejections: unknown[] = []
  const keepRejection = (reason: unknown) => void rejections.push(reason)

  beforeEach(() => {
    rejections.length = 0
    process.on('unhandledRejection', keepRejection)
  })
  afterEach(async () => {
    await bed.close()
    redis.disconnect()
    process.off('unhandledRejection', keepRejection)
    expect(rejections).to.deep.equal([])
    expect(bed.bugs).to.deep.equal([])
  })

  async function open(port: number): Promise<void> {
    redis = new Redis({ port, maxRetriesPerRequest: 1, retryStrategy: () => 20 })
    redis.on('error', () => undefined)
    bed = await openTestBed({ store: new RedisStore(redis), storeTimeoutMs: STORE_TIMEOUT_MS })
  }

  /** Waits for the connection; the clock goes on, so that the store is asked again. */
  async function back(): Promise<void> {
    await until(() => redis.status === 'ready')
    bed.clock.advance(1000)
  }

  /** Returns the login code that was sent, and not spent. */
  async function expectEverything503(token: string): Promise<string> {
    const { code } = await bed.phone.wx.login()
    const userInfo = { nickName: 'Ada' }
    const requests = [
      bed.me(token),
      bed.http.get('/sessions').set('x-3rd-session', token),
      bed.http.delete('/sessions').set('x-3rd-session', token),
      bed.http.put('/session/user-info').set('x-3rd-session', token).send({ userInfo }),
      bed.http.post('/logout').set('x-3rd-session', token),
      bed.http.post('/logout').set('x-3rd-session', UNKNOWN),
      bed.http.post('/login').send({ code }),
    ]
    for (const res of await Promise.all(requests)) expectProblem(res, 503, 'ERR_STORE_UNAVAILABLE')
    expect(bed.sandbox.callCount('/sns/jscode2session'), 'codes spent in vain').to.equal(0)
    return code
  }

  async function everything(): Promise<[key: string, value: string | null][]> {
    const keys = (await redis.keys('*')).sort()
    return Promise.all(keys.map(async (key) => [key, await redis.get(key)]))
  }

  describe('a server of the tests’ own', () => {
    let server: RedisServer

    beforeEach(async () => {
      server = await startRedisServer({ keepData: true })
    })
    afterEach(() => server.stop())

    it('and is down at the start, answers are 503 until it comes up, then all works', async () => {
      await server.kill()
      await open(server.port)
      await expectEverything503(UNKNOWN)
      await server.restart()
      await back()
      await bed.me(await bed.logIn()).expect(200)
    })

    it('and dies under load, every answer is a 200 or a 503, and no session is lost', async () => {
      await open(server.port)
      const token = await bed.logIn()
      const load = Array.from({ length: 100 }, async (_, n) => {
        if (n === 30) await server.kill()
        return (await bed.me(token)).status
      })
      for (const status of await Promise.all(load)) expect(status).to.be.oneOf([200, 503])
      bed.sandbox.clearCalls()
      await expectEverything503(token)
      await server.restart()
      await back()
      await bed.me(token).expect(200)
    })

    it('and hangs, answers are 503 until it goes on, and nothing of them is carried out', async () => {
      await open(server.port)
      const token = await bed.logIn()
      bed.sandbox.clearCalls()
      await settled()
      const before = await everything()
      server.pause()
      const code = await expectEverything503(token)
      server.resume()
      await redis.ping()
      bed.clock.advance(1000)
      expect(await everything()).to.deep.equal(before)
      await bed.me(token).expect(200)
      await bed.http.post('/login').send({ code }).expect(200)
    })

    it('and a reply is lost, nobody gets the session of somebody else', async () => {
      await open(server.port)
      const phones = [bed.phone, bed.sandbox.phone()]
      const users: { token: string; openid: string }[] = []
      for (const phone of phones) users.push({ token: await bed.logIn(phone), openid: phone.openid })
      // Redis replies neither to this nor to the next command: from then on every reply comes two commands
      // too late.
      redis.client('REPLY', 'SKIP').catch(() => undefined)
      const requests = Array.from({ length: 20 }, async (_, n) => {
        const { token, openid } = users[n % 2] ?? expect.fail('there are two')
        return { openid, answer: await bed.me(token) }
      })
      for (const { openid, answer } of await Promise.all(requests)) {
        expect(answer.status).to.be.oneOf([200, 503])
        if (answer.status === 200) expect(answer.body.openid).to.equal(openid)
      }
      await back()
      for (const { token, openid } of users) {
        const { body } = await bed.me(token).expect(200)
        expect(body.openid).to.equal(openid)
      }
    })

    it('and a user in it cannot be read, answers are 503 for that user alone, and the log names the key', async () => {
      await open(server.port)
      const token = await bed.logIn()
      const other = await bed.logIn(bed.sandbox.phone())
      await settled()
      const key = `weapp:{${token.slice(0, 20)}}`
      const newer = `2 of a newer release`
      await redis.set(key, newer, 'KEEPTTL')
      const { code } = await bed.phone.wx.login()
      const answers = [
        await bed.me(token),
        await bed.http.get('/sessions').set('x-3rd-session', token),
        await bed.http.post('/logout').set('x-3rd-session', token),
        await bed.http.post('/login').send({ code }),
      ]
      for (const res of answers) {
        expectProblem(res, 503, 'ERR_STORE_UNAVAILABLE')
        expect(res.text).to.not.include('weapp:')
      }
      await bed.me(other).expect(200)
      expect(await redis.get(key)).to.equal(newer)
      expect(bed.log.join('\n')).to.include(`the key ${key} cannot be read`)
    })

    /** Waits for what a login writes after its answer: the end of its claim, and which key is in use. */
    async function settled(): Promise<void> {
      const values = async () => {
        const keys = await redis.keys('weapp:value:*')
        return keys.length > 0 ? redis.mget(keys) : []
      }
      const claimMark = 13 + 16
      const isSettled = (found: readonly (string | null)[]) =>
        found.every((value) => value?.[claimMark] !== '?') &&
        found.some((value) => value?.startsWith('{"', claimMark))
      while (!isSettled(await values())) await redis.ping()
    }
  })

  describe('and is something else', () => {
    let server: BrokenServer

    afterEach(() => server.close())

    it('answering garbage, answers are 503', async () => {
      server = await startGarbageServer()
      await open(server.port)
      await expectEverything503(UNKNOWN)
    })

    it('answering nothing, answers are 503', async () => {
      server = await startHangingServer()
      await open(server.port)
      await expectEverything503(UNKNOWN)
    })
  })
})
