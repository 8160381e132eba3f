import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSessions, MemoryStore, RedisStore, WeappError } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { commandCalls } from '../support/command-calls.js'
import { releaseCrowd, startCrowd } from '../support/crowd.js'
import { untilIdle } from '../support/idle.js'
import { recordCommands } from '../support/redis-client.js'
import { sharedRedis } from '../support/shared-redis.js'
import { EXCHANGE, openTestBed, type TestBed, type TestBedOptions } from '../support/test-bed.js'

/** A client that brings its code again. */
const origin = { mount: '/login', nonce: 'n'.repeat(16) }

describe('logging in, on Redis', () => {
  let redis: Redis
  let bed: TestBed

  beforeEach(async () => {
    redis = new Redis((await sharedRedis()).url)
    await redis.flushall()
    await reopen()
  })
  afterEach(async () => {
    await bed.close()
    redis.disconnect()
  })

  async function reopen(options: TestBedOptions = {}): Promise<void> {
    await bed?.close()
    const clock = testClock()
    bed = await openTestBed({ clock, store: new RedisStore(redis, { clock }), ...options })
  }

  const newCode = async () => (await bed.phone.wx.login()).code

  it('makes one call to WeChat and one session of parallel logins with one code, for as many as may repeat it', async () => {
    const code = await newCode()
    bed.sandbox.misbehave({ slowMs: 50 })
    const logins = Array.from({ length: 20 }, () => bed.sessions.login({ code, origin }))
    const outcomes = await Promise.allSettled(logins)
    const tokens = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value.token : []))
    expect(tokens).to.have.length.within(2, 6)
    expect(new Set(tokens).size).to.equal(1)
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
    expect(await bed.sessions.list(userOf(bed))).to.have.lengthOf(1)
  })

  it('makes one call to WeChat and one answer of parallel logins from two processes', async () => {
    const code = await newCode()
    bed.sandbox.misbehave({ slowMs: 100 })
    const { url: redisUrl } = await sharedRedis()
    const crowd = { redisUrl, baseUrl: bed.sandbox.url, app: bed.sandbox.app, code, logins: 3 }
    const processes = await Promise.all([
      startCrowd('login-crowd.ts', crowd),
      startCrowd('login-crowd.ts', crowd),
    ])
    const answers = await Promise.all(processes.map(releaseCrowd))
    const tokens = answers.flat()
    expect(tokens).to.have.lengthOf(6)
    expect(new Set(tokens).size).to.equal(1)
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
    expect(await bed.sessions.list(userOf(bed))).to.have.lengthOf(1)
  })

  it('gives one failure to all who bring a code that WeChat refuses', async () => {
    const logins = Array.from({ length: 20 }, () => bed.sessions.login({ code: 'unknown-code' }))
    const outcomes = await Promise.allSettled(logins)
    const codes = outcomes.map(
      (outcome) => outcome.status === 'rejected' && (outcome.reason as WeappError).code,
    )
    expect(new Set(codes)).to.deep.equal(new Set(['ERR_CODE_INVALID']))
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
  })

  it('gives a retry after a lost answer the same token, for a minute', async () => {
    const code = await newCode()
    const first = await bed.sessions.login({ code, origin })
    bed.clock.advance(59_999)
    const again = await bed.sessions.login({ code, origin })
    expect(again.token).to.equal(first.token)
    expect(again.session.sessionId).to.equal(first.session.sessionId)
    bed.clock.advance(1)
    await expectFailure(bed.sessions.login({ code, origin }), 'ERR_CODE_INVALID')
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
  })

  it('does not bring a session back by a retry after it was ended', async () => {
    const code = await newCode()
    const { token } = await bed.sessions.login({ code, origin })
    await bed.sessions.logout(token)
    await expectFailure(bed.sessions.login({ code, origin }), 'ERR_CODE_INVALID')
  })

  it('leaves the cap’s number of live sessions and no orphan after 100 parallel logins of a user', async () => {
    const codes = await Promise.all(Array.from({ length: 100 }, newCode))
    const results = await Promise.all(codes.map((code) => bed.sessions.login({ code })))
    const outcomes = await Promise.allSettled(results.map(({ token }) => bed.sessions.authenticate(token)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.lengthOf(10)

    const listed = await bed.sessions.list(userOf(bed))
    const living = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value.sessionId : [],
    )
    expect(listed.map(({ sessionId }) => sessionId)).to.have.members(living)
    expect(await redis.keys('weapp:{*')).to.have.lengthOf(1)
  })

  it('refuses one session too many where onLimit says so, and makes room after a logout', async () => {
    await reopen({ maxSessionsPerUser: 2, onLimit: 'refuse' })
    const first = await bed.sessions.login({ code: await newCode() })
    await bed.sessions.login({ code: await newCode() })
    await expectFailure(
      newCode().then((code) => bed.sessions.login({ code })),
      'ERR_SESSION_LIMIT',
    )
    await bed.sessions.authenticate(first.token)
    await bed.sessions.logout(first.token)
    await bed.sessions.login({ code: await newCode() })
  })

  it('changes nothing when it refuses: the presented session goes on', async () => {
    await reopen({ maxSessionsPerUser: 3 })
    const tokens: string[] = []
    for (let n = 0; n < 3; n++) tokens.push((await bed.sessions.login({ code: await newCode() })).token)
    const [presentedToken = ''] = tokens
    const options = {
      apps: bed.sandbox.apps,
      store: new RedisStore(redis),
      wechat: { baseUrl: bed.sandbox.url },
    }
    const strict = createSessions({ ...options, maxSessionsPerUser: 1, onLimit: 'refuse' })
    await expectFailure(strict.login({ code: await newCode(), presentedToken }), 'ERR_SESSION_LIMIT')
    for (const token of tokens) await bed.sessions.authenticate(token)
    await strict.close()
  })

  it('ends the oldest session for one too many otherwise', async () => {
    await reopen({ maxSessionsPerUser: 1 })
    const first = await bed.sessions.login({ code: await newCode() })
    bed.clock.advance(1)
    await bed.sessions.login({ code: await newCode() })
    await expectFailure(bed.sessions.authenticate(first.token), 'ERR_SESSION_UNKNOWN')
  })

  it('keeps what onLogin answers as session.data', async () => {
    await reopen({
      onLogin: async ({ openid, unionid }) => ({ userId: 7, seen: [openid, unionid], empty: [] }),
    })
    const { token } = await bed.sessions.login({ code: await newCode() })
    const { data } = await bed.sessions.authenticate(token)
    expect(data).to.deep.equal({ userId: 7, seen: [bed.phone.openid, bed.phone.unionid], empty: [] })
  })

  it('refuses a login where onLogin does, and asks WeChat no second time', async () => {
    await reopen({
      onLogin: () => {
        throw new WeappError('ERR_LOGIN_REFUSED', 'Banned until Friday.')
      },
    })
    const code = await newCode()
    await expectFailure(bed.sessions.login({ code }), 'ERR_LOGIN_REFUSED')
    await expectFailure(bed.sessions.login({ code }), 'ERR_LOGIN_REFUSED')
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
    expect(bed.log).to.deep.equal([`logins of ${bed.phone.appid} are refused with ERR_LOGIN_REFUSED`])
    expect(await redis.keys('weapp:{*')).to.deep.equal([])
  })

  it('costs two round trips: one script claims the code, one writes the session', async () => {
    await bed.sessions.login({ code: await newCode() })
    await untilIdle(bed.sessions)
    await redis.config('RESETSTAT')
    await bed.sessions.login({ code: await newCode() })
    await untilIdle(bed.sessions)
    const calls = await commandCalls(redis)
    // The others keep the answer for a client that asks again, and that the code was used: they are not waited for.
    expect(calls.evalsha).to.equal(4)
    expect(calls.eval).to.equal(undefined)
    // The claim, the user, the answer, and that the code was used.
    expect(calls.set).to.equal(4)
  })

  it('costs one round trip more where onLogin is to know whether the user is new', async () => {
    const client = recordCommands(redis)
    for (const [onLogin, commands] of [
      [undefined, ['EVALSHA', 'EVALSHA']],
      [() => undefined, ['EVALSHA', 'EVALSHA', 'EVALSHA']],
    ] as const) {
      await reopen({ store: new RedisStore(client), ...(onLogin && { onLogin }) })
      await bed.sessions.login({ code: await newCode() })
      await untilIdle(bed.sessions)
      client.commands.length = 0
      const code = await newCode()
      await bed.sessions.login({ code })
      // Beside them, what keeps the answer: it is not waited for.
      const waitedFor = client.commands.slice(0, commands.length)
      expect(waitedFor).to.deep.equal(commands)
      await untilIdle(bed.sessions)
      expect(client.commands.slice(commands.length)).to.deep.equal(['EVALSHA', 'EVALSHA'])
    }
  })

  it('tells onLogin and the caller whether the user is new, to a retry as the first time', async () => {
    const told: boolean[] = []
    await reopen({ onLogin: ({ seenBefore }) => void told.push(seenBefore) })
    const code = await newCode()
    const first = await bed.sessions.login({ code, origin })
    const retry = await bed.sessions.login({ code, origin })
    await bed.sessions.revokeUser(userOf(bed))
    const second = await bed.sessions.login({ code: await newCode() })
    expect([first, retry, second].map(({ seenBefore }) => seenBefore)).to.deep.equal([false, false, true])
    expect(told).to.deep.equal([false, true])
  })

  it('leaves a user new whose login was refused', async () => {
    const told: boolean[] = []
    await reopen({
      onLogin: ({ seenBefore }) => {
        if (told.push(seenBefore) === 1) throw new WeappError('ERR_LOGIN_REFUSED', 'Not yet.')
      },
    })
    const refused = await newCode()
    await expectFailure(bed.sessions.login({ code: refused }), 'ERR_LOGIN_REFUSED')
    expect((await bed.sessions.login({ code: await newCode() })).seenBefore).to.equal(false)
    expect(told).to.deep.equal([false, false])
  })

  it('forgets a user after the userInfoDurationDays of the app', async () => {
    await reopen({ store: new MemoryStore({ clock: () => bed.clock() }), app: { userInfoDurationDays: 1 } })
    await bed.sessions.login({ code: await newCode() })
    bed.clock.advance(86_400_000)
    expect((await bed.sessions.login({ code: await newCode() })).seenBefore).to.equal(false)
    expect((await bed.sessions.login({ code: await newCode() })).seenBefore).to.equal(true)
  })
})

function userOf(bed: TestBed) {
  return { appid: bed.phone.appid, openid: bed.phone.openid }
}

async function expectFailure(work: Promise<unknown>, code: string): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).to.be.instanceOf(WeappError)
  expect((error as WeappError).code).to.equal(code)
}
