import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { FailoverProcess } from './failover-process.js'

const HOUR_MS = 3_600_000
/** Both lifetimes are short, so that a session ends while the test looks on. */
const LIFETIME_MS = 1_500
const APP = { loginDurationDays: LIFETIME_MS / 86_400_000, sessionDurationSeconds: 60 }

describe('processes whose clocks are stepped', function () {
  this.timeout(60_000)

  let server: RedisServer
  let redis: Redis
  let sandbox: Sandbox
  let right: FailoverProcess
  let wrong: FailoverProcess

  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
    sandbox = await createSandbox()
    const apps = sandbox.apps.map((app) => ({ ...app, ...APP }))
    const settings = { redis: { port: server.port }, waitReplicas: 0, apps, wechatUrl: sandbox.url }
    const start = () => FailoverProcess.start(settings)
    ;[right, wrong] = await Promise.all([start(), start()])
  })
  after(async () => {
    await Promise.all([right.close(), wrong.close()])
    await sandbox.close()
    redis.disconnect()
    await server.stop()
  })

  /** The time in Redis, in milliseconds since 1970. */
  async function timeInRedis(): Promise<number> {
    const [seconds = 0, micros = 0] = (await redis.time()).map(Number)
    return seconds * 1_000 + Math.floor(micros / 1_000)
  }

  async function logIn({ url }: FailoverProcess): Promise<{ token: string; end: number }> {
    const { code } = await sandbox.phone().wx.login()
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${url}/login`, { method: 'POST', headers, body: JSON.stringify({ code }) })
    const { token, expiresAt } = (await response.json()) as { token: string; expiresAt: string }
    return { token, end: Date.parse(expiresAt) }
  }

  /** Asks until the session has ended; returns the answers that came too early or too late. */
  async function faultsUntilTheEnd({ url }: FailoverProcess, token: string, end: number): Promise<string[]> {
    const faults: string[] = []
    for (;;) {
      const asked = await timeInRedis()
      const { status } = await fetch(`${url}/me`, { headers: { 'x-3rd-session': token } })
      const answered = await timeInRedis()
      if (status === 200 && asked >= end) faults.push(`valid ${asked - end} ms after its end`)
      if (status === 401 && answered < end) faults.push(`refused ${end - answered} ms before its end`)
      if (status !== 200 && status !== 401) faults.push(`answered with ${status}`)
      if (status === 401 || faults.length > 0) return faults
    }
  }

  for (const [what, offsetMs] of [
    ['ten seconds ahead', 10_000],
    ['ten seconds behind', -10_000],
    ['stepped an hour ahead', HOUR_MS],
    ['stepped an hour back', -HOUR_MS],
  ] as const) {
    it(`end each session when Redis says so, with one that is ${what}`, async () => {
      const before = await Promise.all([logIn(right), logIn(wrong)])
      await wrong.setClock(offsetMs)
      const later = await Promise.all([logIn(right), logIn(wrong)])
      const faults = [...before, ...later].flatMap(({ token, end }) =>
        [right, wrong].map((each) => faultsUntilTheEnd(each, token, end)),
      )
      expect((await Promise.all(faults)).flat()).to.deep.equal([])
      await wrong.setClock(0)
    })
  }

  it('tell once that their clock is off', () => {
    const told = (log: string) => log.split('\n').filter((line) => line.includes('the clock of this process'))
    expect(told(right.log)).to.deep.equal([])
    expect(told(wrong.log)).to.have.lengthOf(1)
    expect(told(wrong.log)[0]).to.match(/is 3[56]\d\d s ahead of that of the session store/)
  })
})
