import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { releaseCrowd, startCrowd } from '../support/crowd.js'
import { sharedRedis } from '../support/shared-redis.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'

const STABLE_TOKEN = '/cgi-bin/stable_token'

describe('an access token, on Redis', () => {
  let redis: Redis
  let bed: TestBed

  beforeEach(async () => {
    redis = new Redis((await sharedRedis()).url)
    await redis.flushall()
    bed = await openTestBed({ store: new RedisStore(redis) })
  })
  afterEach(async () => {
    await bed.close()
    redis.disconnect()
  })

  async function callFromTwoProcesses(calls: number): Promise<string[]> {
    const taps = await Promise.all(Array.from({ length: calls }, () => bed.phone.getPhoneNumber()))
    const codes = taps.map(({ code }) => code)
    const job = { redisUrl: (await sharedRedis()).url, baseUrl: bed.sandbox.url, app: bed.sandbox.app }
    const processes = await Promise.all([
      startCrowd('phone-number-crowd.ts', { ...job, codes: codes.slice(0, calls / 2) }),
      startCrowd('phone-number-crowd.ts', { ...job, codes: codes.slice(calls / 2) }),
    ])
    return (await Promise.all(processes.map(releaseCrowd))).flat()
  }

  for (const [what, prepare] of [
    ['none at all', async () => {}],
    [
      'one that WeChat has let expire',
      async () => {
        await bed.sessions.accessToken()
        bed.sandbox.expireAccessToken()
      },
    ],
    [
      'one that WeChat has revoked',
      async () => {
        await bed.sessions.accessToken()
        bed.sandbox.revokeAccessToken()
      },
    ],
  ] as const) {
    it(`is asked for once by 200 parallel calls from two processes that have ${what}`, async () => {
      await prepare()
      bed.sandbox.clearCalls()
      bed.sandbox.misbehave({ slowMs: 50 }, { path: STABLE_TOKEN })
      const numbers = await callFromTwoProcesses(200)
      expect(numbers).to.have.lengthOf(200)
      expect(new Set(numbers).size).to.equal(1)
      expect(bed.sandbox.callCount(STABLE_TOKEN)).to.equal(1)
    })
  }

  it('lies in Redis encrypted, under a key that names nobody, and ends when the token does', async () => {
    const token = await bed.sessions.accessToken()
    const lifetimes: number[] = []
    for (const key of await redis.keys('weapp:value:*')) {
      expect(`${key} ${await redis.get(key)}`)
        .not.to.include(token)
        .and.not.to.include(bed.sandbox.app.appid)
      lifetimes.push(await redis.pttl(key))
    }
    // The claim of who fetches it is there for seconds.
    expect(Math.max(...lifetimes)).to.be.within(7_100_000, 7_200_000)
  })
})
