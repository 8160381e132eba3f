import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSessions, RedisStore, type Sessions } from '../../lib/index.js'
import { weappErrorOf } from '../support/failures.js'
import { type KeptLog, keptLog } from '../support/log-lines.js'
import { sharedRedis } from '../support/shared-redis.js'
import { EXCHANGE, openTestBed, type TestBed } from '../support/test-bed.js'

const HOUR_MS = 3_600_000
const STABLE_TOKEN = '/cgi-bin/stable_token'

interface Process {
  readonly sessions: Sessions
  readonly log: KeptLog
}

describe('processes whose clocks differ, on one Redis', () => {
  let redis: Redis
  let bed: TestBed
  let processes: Process[]

  beforeEach(async () => {
    redis = new Redis((await sharedRedis()).url)
    await redis.flushall()
    bed = await openTestBed()
    // Redis' own time, an hour and ten minutes off either way, and a wall clock that was never set.
    processes = [0, HOUR_MS, -HOUR_MS, 600_000, -600_000, -Date.now()].map((offsetMs) => {
      const log = keptLog()
      const sessions = createSessions({
        apps: [{ ...bed.sandbox.app, sessionDurationSeconds: 60, loginDurationDays: 1 / 48 }],
        store: new RedisStore(redis),
        wechat: { baseUrl: bed.sandbox.url },
        clock: () => Date.now() + offsetMs,
        logger: log,
      })
      return { sessions, log }
    })
  })
  afterEach(async () => {
    for (const { sessions } of processes) await sessions.close()
    await bed.close()
    redis.disconnect()
  })

  const newCode = async () => (await bed.phone.wx.login()).code

  it('agree on every session, however short it lives', async () => {
    for (const { sessions: issuing } of processes) {
      const { token, session } = await issuing.login({ code: await newCode() })
      for (const { sessions } of processes) {
        const seen = await sessions.authenticate(token, { maxAgeSeconds: 30 })
        expect(seen).to.deep.equal(session)
        expect((await sessions.list(session)).map(({ sessionId }) => sessionId)).to.include(session.sessionId)
      }
    }
  })

  it('agree on when a session began and ends: by the clock of Redis', async () => {
    for (const { sessions } of processes) {
      const [seconds = 0] = (await redis.time()).map(Number)
      const { session } = await sessions.login({ code: await newCode() })
      expect(session.createdAt.getTime() / 1000).to.be.within(seconds, seconds + 5)
      expect(session.idleExpiresAt.getTime() - session.lastVisitAt.getTime()).to.equal(60_000)
      expect(session.expiresAt.getTime() - session.createdAt.getTime()).to.equal(HOUR_MS / 2)
    }
  })

  it('send a code to WeChat once', async () => {
    const origin = { mount: '/login', nonce: 'n'.repeat(16) }
    const code = await newCode()
    const logins = await Promise.all(processes.map(({ sessions }) => sessions.login({ code, origin })))
    expect(new Set(logins.map(({ token }) => token)).size).to.equal(1)
    await weappErrorOf('ERR_CODE_INVALID', () => processes[1]?.sessions.login({ code }))
    expect(bed.sandbox.callCount(EXCHANGE)).to.equal(1)
  })

  it('fetch one access token', async () => {
    const tokens = []
    for (const { sessions } of processes) tokens.push(await sessions.accessToken())
    for (const { sessions } of processes.toReversed()) tokens.push(await sessions.accessToken())
    expect(new Set(tokens).size).to.equal(1)
    expect(bed.sandbox.callCount(STABLE_TOKEN)).to.equal(1)
  })

  it('end what the others began, and nothing that began later', async () => {
    for (const { sessions } of processes) {
      const before = await processes[0]?.sessions.login({ code: await newCode() })
      expect(await sessions.revokeUser({ openid: bed.phone.openid })).to.equal(1)
      await weappErrorOf('ERR_SESSION_UNKNOWN', () => sessions.authenticate(before?.token))
      const after = await sessions.login({ code: await newCode() })
      await processes[0]?.sessions.authenticate(after.token)
      for (const ending of [sessions.ofApp(1), sessions]) {
        const { token } = await sessions.login({ code: await newCode() })
        expect(await ending.revokeAll()).to.equal(ending === sessions ? 1 : 2)
        for (const ended of [after.token, token])
          await weappErrorOf('ERR_SESSION_UNKNOWN', () => processes[0]?.sessions.authenticate(ended))
      }
    }
  })

  it('tell once whose clock is more than a minute off', async () => {
    for (const { sessions } of processes) {
      for (let logins = 0; logins < 2; logins += 1) {
        const { token } = await sessions.login({ code: await newCode() })
        await sessions.authenticate(token)
      }
    }
    const lines = processes.map(({ log }) => log.lines.filter((line) => line.includes('clock')).length)
    expect(lines).to.deep.equal([0, 1, 1, 1, 1, 1])
    expect(processes[1]?.log.lines[0]).to.match(
      /^warn: the clock of this process is 3[56]\d\d s ahead of that of/,
    )
  })
})
