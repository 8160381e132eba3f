import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { type BrokenServer, startGarbageServer, startHangingServer } from '../support/broken-server.js'
import { expectProblem } from '../support/problem.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const STORE_TIMEOUT_MS = 250
const UNKNOWN = 'A'.repeat(64)

describe('when Redis fails', () => {
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

  async function expectEverything503(token: string): Promise<void> {
    const { code } = await bed.phone.wx.login()
    const requests = [
      bed.me(token),
      bed.http.get('/sessions').set('x-3rd-session', token),
      bed.http.delete('/sessions').set('x-3rd-session', token),
      bed.http.post('/logout').set('x-3rd-session', UNKNOWN),
      bed.http.post('/login').send({ code }),
    ]
    for (const res of await Promise.all(requests)) expectProblem(res, 503, 'ERR_STORE_UNAVAILABLE')
    expect(bed.sandbox.callCount('/sns/jscode2session'), 'codes spent in vain').to.equal(0)
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
      await until(() => redis.status === 'ready')
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
      await until(() => redis.status === 'ready')
      await bed.me(token).expect(200)
    })

    it('and hangs, answers are 503 until it goes on, and no session is lost', async () => {
      await open(server.port)
      const token = await bed.logIn()
      bed.sandbox.clearCalls()
      server.pause()
      await expectEverything503(token)
      server.resume()
      await redis.ping()
      await bed.me(token).expect(200)
    })
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

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10))
}
