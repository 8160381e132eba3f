import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { commandCalls } from '../support/command-calls.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const REQUESTS = 100
const DAY_MS = 86_400_000

describe('what an authenticated request costs Redis', () => {
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

  it('is one MGET and no write between touches', async () => {
    const token = await bed.logIn()
    await observer.config('RESETSTAT')
    for (let n = 0; n < REQUESTS; n++) await bed.me(token).expect(200)
    const { info: _ownInfo, 'config|resetstat': _ownReset, ...calls } = await commandCalls(observer)
    expect(calls).to.deep.equal({ mget: REQUESTS })
  })

  it('is one more script when a touch is due, once', async () => {
    const token = await bed.logIn()
    await bed.me(token).expect(200)
    bed.clock.advance(DAY_MS)
    await bed.me(token).expect(200)
    await observer.config('RESETSTAT')
    bed.clock.advance(DAY_MS)
    for (let n = 0; n < REQUESTS; n++) await bed.me(token).expect(200)
    const { evalsha, setrange, mget } = await commandCalls(observer)
    expect({ evalsha, setrange, mget }).to.deep.equal({ evalsha: 1, setrange: 1, mget: REQUESTS })
  })

  it('is nothing for a token that cannot be one', async () => {
    await bed.logIn()
    await observer.config('RESETSTAT')
    await bed.me('x'.repeat(63)).expect(401)
    const { info: _ownInfo, 'config|resetstat': _ownReset, ...calls } = await commandCalls(observer)
    expect(calls).to.deep.equal({})
  })

  it('gives each key an end of its own', async () => {
    const token = await bed.logIn()
    await bed.http
      .put('/session/user-info')
      .set('x-3rd-session', token)
      .send({ userInfo: { nickName: 'Ada' } })
    for (const key of await observer.keys('*')) expect(await observer.pttl(key), key).to.be.greaterThan(0)
  })
})
