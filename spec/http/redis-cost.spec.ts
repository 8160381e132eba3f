import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import express from 'express'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { type RedisClient, RedisStore } from '../../lib/index.js'
import { commandCalls } from '../support/command-calls.js'
import { untilIdle } from '../support/idle.js'
import { sharedRedis } from '../support/shared-redis.js'
import { EXCHANGE, openTestBed, type TestBed, type TestBedOptions } from '../support/test-bed.js'

const REQUESTS = 100
const DAY_MS = 86_400_000
/** A profile of about 4 kB, the largest that may be kept. */
const LARGE_PROFILE = Object.fromEntries(
  ['one', 'two', 'three', 'four'].map((name) => [name, 'n'.repeat(990)]),
)

describe('what Redis has to do', () => {
  let redis: Redis
  let observer: Redis
  let bed: TestBed

  beforeEach(async () => {
    const { url } = await sharedRedis()
    redis = new Redis(url)
    observer = new Redis(url)
    await observer.flushall()
    bed = await openTestBed({ store: new RedisStore(redis) })
  })
  afterEach(async () => {
    await bed.close()
    redis.disconnect()
    observer.disconnect()
  })

  async function reopen(options: TestBedOptions): Promise<void> {
    await bed.close()
    bed = await openTestBed(options)
  }

  async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number | undefined>> {
    await observer.config('RESETSTAT')
    await work()
    const {
      info: _ownInfo,
      config: _ownConfig,
      'config|resetstat': _ownReset,
      ...calls
    } = await commandCalls(observer)
    return calls
  }

  /** Logs in, and waits for what is written when the answer is out. */
  async function logIn(): Promise<string> {
    const token = await bed.logIn()
    await untilIdle(bed.sessions)
    return token
  }

  async function authenticate(token: string): Promise<void> {
    for (let n = 0; n < REQUESTS; n++) await bed.me(token).expect(200)
  }

  describe('for an authenticated request', () => {
    it('is one command that reads two keys, and no write, between touches', async () => {
      const token = await logIn()
      await bed.me(token).expect(200)
      // Once a second a script tells the time.
      const { mget, set, ...script } = await commandsOf(() => authenticate(token))
      expect([mget, set]).to.deep.equal([REQUESTS, undefined])
      expect(script.evalsha ?? 0).to.be.at.most(REQUESTS / 10)
    })

    it('is one more script and one write when a touch is due, once', async () => {
      await reopen({ store: new RedisStore(redis, { clock: () => bed.clock() }) })
      const token = await logIn()
      await bed.me(token).expect(200)
      bed.clock.advance(DAY_MS)
      await bed.me(token).expect(200)
      bed.clock.advance(DAY_MS)
      expect(await commandsOf(() => authenticate(token))).to.deep.equal({
        mget: REQUESTS,
        // A store that is told the time asks twice: the first time to learn that of Redis.
        evalsha: 2,
        get: 2,
        set: 1,
      })
    })

    it('is nothing for a token that cannot be one', async () => {
      await logIn()
      expect(await commandsOf(async () => bed.me('x'.repeat(63)).expect(401))).to.deep.equal({})
    })

    it('is one command and a script that reads for an unknown token, and the script alone for it again', async () => {
      const token = await logIn()
      await bed.me(unknownAt('C'.repeat(20))).expect(401)
      for (const unknown of [unknownAt(token.slice(0, 20)), unknownAt('A'.repeat(20))]) {
        const { mget, ...script } = await commandsOf(async () => bed.me(unknown).expect(401))
        expect([mget, script]).to.deep.equal([1, { evalsha: 1, time: 1, get: 2 }])
        expect(await commandsOf(async () => bed.me(unknown).expect(401))).to.deep.equal(script)
      }
    })

    it('is no more to send for an unknown token of a user who takes much room than for one of nobody', async () => {
      const token = await logIn()
      const put = bed.http.put('/session/user-info').set('x-3rd-session', token)
      await put.send({ userInfo: LARGE_PROFILE }).expect(200)
      expect(await bytesSentFor(token.slice(0, 20), token.slice(20))).to.be.above(REQUESTS * 3_900)
      // Nonces grow by a digit now and then: from here on they have the same length.
      await bytesSentFor('A'.repeat(20))
      const ofUser = await bytesSentFor(token.slice(0, 20))
      const ofNobody = await bytesSentFor('B'.repeat(20))
      expect(ofUser).to.be.above(0)
      expect(ofUser).to.be.at.most(ofNobody * 1.01)
    })

    /** How many bytes Redis sends for requests with such a token. */
    async function bytesSentFor(handle: string, rest?: string): Promise<number> {
      const [earlier, before] = [await bytesSent(), await bytesSent()]
      for (let n = 0; n < REQUESTS; n++) await bed.me(handle + (rest ?? unknown()))
      // What it sends to say how much it has sent.
      const own = before - earlier
      return (await bytesSent()) - before - own
    }

    async function bytesSent(): Promise<number> {
      const [, count] = /total_net_output_bytes:(\d+)/.exec(await observer.info('stats')) ?? []
      return Number(count)
    }
  })

  describe('for a login', () => {
    /** What a login does in a process that has logged users in, with what it writes when the answer is out. */
    async function commandsOfLogin(
      options: TestBedOptions = {},
    ): Promise<Record<string, number | undefined>> {
      const store = new RedisStore(redis)
      await reopen({ ...options, store })
      await logIn()
      return commandsOf(logIn)
    }

    it('is three scripts before the answer, one for both limits, and two after it', async () => {
      expect(await commandsOfLogin()).to.deep.equal({ evalsha: 5, time: 5, get: 9, set: 6, del: 2 })
    })

    it('is one call to WeChat and three round trips of one command each before the answer, two after it', async () => {
      const client = countingClient(redis)
      await reopen({ store: new RedisStore(client) })
      await logIn()
      const counted = express().use((_req, res, next) => {
        const { end } = res
        res.end = (...args: unknown[]) => {
          atTheAnswer = { ...client.counts }
          return Reflect.apply(end, res, args)
        }
        next()
      })
      let atTheAnswer = { sent: 0, roundTrips: 0 }
      client.counts = { sent: 0, roundTrips: 0 }
      const calls = bed.sandbox.callCount(EXCHANGE)
      const { code } = await bed.phone.wx.login()
      await supertest(counted.use(bed.app)).post('/login').send({ code }).expect(200)
      await bed.sessions.close()
      expect(bed.sandbox.callCount(EXCHANGE) - calls).to.equal(1)
      expect(atTheAnswer).to.deep.equal({ sent: 3, roundTrips: 3 })
      expect(client.counts).to.deep.equal({ sent: 5, roundTrips: 5 })
    })

    it('is one script for the codes of up to eight logins of a turn', async () => {
      const client = countingClient(redis)
      const sent: number[] = []
      const exchange = async (_app: unknown, code: string) => {
        sent.push(client.counts.sent)
        return { openid: `o${code}`, sessionKey: 'key' }
      }
      await reopen({ store: new RedisStore(client), app: { exchange } })
      const logInBy = (code: number) => bed.sessions.login({ code: String(code) })
      await logInBy(0)
      await untilIdle(bed.sessions)
      client.counts = { sent: 0, roundTrips: 0 }
      await Promise.all(Array.from({ length: 16 }, (_, index) => logInBy(index + 1)))
      expect(sent[1]).to.equal(2)
    })

    it('is one more script, that reads, with onLogin', async () => {
      const onLogin = () => ({ role: 'admin' })
      expect(await commandsOfLogin({ onLogin })).to.deep.equal({
        evalsha: 6,
        time: 6,
        get: 11,
        set: 6,
        del: 2,
      })
    })
  })

  it('is two more scripts that read, when the answer is out, for the first login of a process', async () => {
    const store = new RedisStore(redis)
    await reopen({ store })
    await logIn()
    await reopen({ store })
    expect(await commandsOf(logIn)).to.deep.equal({ evalsha: 7, time: 7, get: 11, set: 6, del: 2 })
  })

  it('gives each key an end of its own', async () => {
    const token = await logIn()
    await bed.http
      .put('/session/user-info')
      .set('x-3rd-session', token)
      .send({ userInfo: { nickName: 'Ada' } })
    const keys = await observer.keys('*')
    expect(keys, 'the user, the login code, its answer, and which key is in use').to.have.lengthOf(4)
    for (const key of keys) expect(await observer.pttl(key), key).to.be.greaterThan(0)
  })
})

interface Counts {
  sent: number
  /** Commands that overlap are one. */
  roundTrips: number
}

interface CountingClient extends RedisClient {
  counts: Counts
}

function countingClient(redis: RedisClient): CountingClient {
  let inFlight = 0
  return {
    counts: { sent: 0, roundTrips: 0 },
    async call(...args) {
      this.counts.sent += 1
      inFlight += 1
      try {
        return await redis.call(...args)
      } finally {
        inFlight -= 1
        if (inFlight === 0) this.counts.roundTrips += 1
      }
    },
  }
}

/** A token that nobody has, of the user with this handle. */
function unknownAt(handle: string): string {
  return handle + 'A'.repeat(44)
}

/** What no token was asked for with before. */
function unknown(): string {
  return randomBytes(33).toString('base64url')
}
