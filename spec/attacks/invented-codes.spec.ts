import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { RedisStore } from '../../lib/index.js'
import { type TestClock, testClock } from '../support/clock.js'
import { inCrowds } from '../support/crowds.js'
import { expectProblem } from '../support/problem.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

/** `INVENTED_CODES=10000` sends all of a real attack, and prints what comes of it. */
const CODES = Number(process.env.INVENTED_CODES ?? 1000)
const PER_ADDRESS = 600
const PER_APP = 3000
/** Of a code that reached WeChat: that it was used, and that it was refused. */
const KEYS_PER_CODE = 2
/** One for each limit, and one of the store's own. */
const OTHER_KEYS = 3
const MOST_BYTES_PER_KEY = 500

describe(`${CODES} invented codes, with the default limits,`, function () {
  this.timeout(300_000)
  let server: RedisServer
  let redis: Redis
  let clock: TestClock
  let bed: TestBed
  let listening: Server
  let http: TestBed['http']

  beforeEach(async () => {
    server = await startRedisServer()
    redis = new Redis({
      port: server.port,
      host: '127.0.0.1',
      maxRetriesPerRequest: 0,
      retryStrategy: () => 20,
    })
    redis.on('error', () => undefined)
    await redis.ping()
    clock = testClock()
    bed = await openTestBed({ clock, store: new RedisStore(redis, { clock }), storeTimeoutMs: 5000 })
    bed.app.set('trust proxy', 1)
    listening = bed.app.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    http = supertest(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`)
  })
  afterEach(async () => {
    listening.close()
    await bed.close()
    redis.disconnect()
    await server.stop()
    expect(bed.bugs).to.deep.equal([])
  })

  const reached = () => bed.sandbox.callCount(EXCHANGE)
  const logIn = (code: string, address: string) =>
    http.post('/login').set('x-forwarded-for', address).send({ code })
  const attack = (addressOf: (index: number) => string, count = CODES) =>
    inCrowds(count, 50, async (index) => (await logIn(`invented-${index}`, addressOf(index))).status)

  async function bytesInUse(): Promise<number> {
    const keys = await redis.keys('*')
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)))
    return sizes.reduce((sum: number, size) => sum + Number(size), 0)
  }

  it('from one address leave WeChat, Redis and the log in peace', async () => {
    await attack(() => '203.0.113.7')
    await bed.sessions.close()
    const [keys, bytes] = [await redis.dbsize(), await bytesInUse()]
    tell(`${reached()} calls to WeChat, ${keys} keys of ${bytes} bytes, ${bed.log.length} lines in the log`)
    expect(reached()).to.equal(PER_ADDRESS)
    expect(keys).to.be.most(KEYS_PER_CODE * PER_ADDRESS + OTHER_KEYS)
    expect(bytes).to.be.most(keys * MOST_BYTES_PER_KEY)
    expect(bed.log).to.have.lengthOf(2)
    const ttls = await Promise.all((await redis.keys('*')).map((key) => redis.pttl(key)))
    expect(ttls.every((ttl) => ttl > 0 && ttl <= 300_000)).to.equal(true)
  })

  it('from as many addresses stop at the limit of the app', async () => {
    await attack((index) => `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`)
    await bed.sessions.close()
    const keys = await redis.dbsize()
    tell(`${reached()} calls to WeChat, ${keys} keys, ${bed.log.length} lines in the log`)
    const most = Math.min(CODES, PER_APP)
    expect(reached()).to.equal(most)
    expect(keys).to.be.most((KEYS_PER_CODE + 1) * most + OTHER_KEYS)
    expect(bed.log.length).to.be.most(2)
  })

  it('do not reach WeChat once Redis is gone, and the limits hold as before when it is back', async () => {
    await attack(() => '203.0.113.7', 300)
    const before = reached()
    expect(before).to.equal(300)
    const rejections = await unhandledRejectionsDuring(async () => {
      await server.kill()
      const statuses = await attack(() => '203.0.113.8', 300)
      expect(new Set(statuses)).to.deep.equal(new Set([503]))
    })
    expect(rejections).to.deep.equal([])
    expect(reached()).to.equal(before)
    await server.restart()
    while ((await redis.ping().catch(() => '')) !== 'PONG') await new Promise(setImmediate)
    // The store is asked by one call at a time until one is answered.
    clock.advance(1000)
    await bed.sessions.ping()
    const statuses = await attack(() => '203.0.113.9', PER_ADDRESS + 100)
    expect(statuses.filter((status) => status === 429)).to.have.lengthOf(100)
  })

  it('beside the data of a user with a session reach WeChat eight times in ten minutes, however many come at once', async () => {
    const token = await bed.logIn()
    const { encryptedData, iv, rawData, signature } = await bed.phone.wx.getUserProfile({ desc: 'x' })
    bed.sandbox.clearCalls()
    const statuses = await inCrowds(300, 50, async (index) => {
      const data = index % 2 ? { encryptedData, iv } : { rawData, signature }
      const sent = { ...data, code: `invented-${index}` }
      return (await http.put('/session/user-info').set('x-3rd-session', token).send(sent)).status
    })
    tell(`${reached()} calls to WeChat, ${bed.log.length} lines in the log`)
    expect(reached()).to.equal(8)
    expect(statuses.filter((status) => status === 401)).to.have.lengthOf(8)
    expect(statuses.filter((status) => status === 429)).to.have.lengthOf(292)
    await bed.me(token).expect(200)
    const neighbour = bed.sandbox.phone()
    const others = await bed.logIn(neighbour)
    const fresh = await neighbour.wx.login()
    const own = await neighbour.wx.getUserProfile({ desc: 'x' })
    const put = http.put('/session/user-info').set('x-3rd-session', others)
    await put.send({ encryptedData: own.encryptedData, iv: own.iv, code: fresh.code }).expect(200)
  })

  it('of the phone number button reach WeChat eight times, where the number is asked for and where one confirms', async () => {
    const token = await bed.logIn()
    const paths = { '/session/phone-number': 'code', '/session/confirmation': 'phoneCode' }
    const statuses = await inCrowds(300, 50, async (index) => {
      const [path, name] = Object.entries(paths)[index % 2] ?? []
      const sent = { [name ?? '']: `invented-${index}` }
      return (
        await http
          .post(path ?? '')
          .set('x-3rd-session', token)
          .send(sent)
      ).status
    })
    expect(bed.sandbox.callCount('/wxa/business/getuserphonenumber')).to.be.most(8)
    expect(new Set(statuses)).to.deep.equal(new Set([401, 429]))
    await bed.me(token).expect(200)
  })

  it('do not reach WeChat while Redis is full and refuses to count', async () => {
    await redis.config('SET', 'maxmemory', '1')
    const statuses = await attack(() => '203.0.113.7', 300)
    expect(new Set(statuses)).to.deep.equal(new Set([503]))
    expect(reached()).to.equal(0)
    await redis.config('SET', 'maxmemory', '0')
    const { code } = await bed.phone.wx.login()
    await logIn(code, '203.0.113.7').expect(200)
  })

  it('are not let through by a Redis that goes away between the count and its end', async () => {
    const restore = bed.sandbox.misbehave('hang', { path: EXCHANGE })
    const pending = attack(() => '203.0.113.7', 50)
    while (reached() < 50) await new Promise(setImmediate)
    await server.kill()
    restore()
    bed.sandbox.clearCalls()
    const rejections = await unhandledRejectionsDuring(async () => {
      expectProblem(await logIn('one-more', '203.0.113.7'), 503, 'ERR_STORE_UNAVAILABLE')
      expect(reached()).to.equal(0)
      await bed.sandbox.takeDown()
      for (const status of await pending) expect(status).to.be.oneOf([502, 503, 504])
    })
    expect(rejections).to.deep.equal([])
  })
})

function tell(line: string): void {
  if (process.env.INVENTED_CODES) process.stdout.write(`      ${line}\n`)
}
