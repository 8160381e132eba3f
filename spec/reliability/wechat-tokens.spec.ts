import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { countsOf, WechatApp } from '../support/wechat-app-process.js'

const STABLE_TOKEN = '/cgi-bin/stable_token'
const CALLERS = 500
const AT_ONCE = 25

describe('an access token that cannot be had, in two processes on one Redis,', () => {
  let redis: RedisServer
  let sandbox: Sandbox
  let apps: WechatApp[]
  let operator: Redis

  before(async function () {
    this.timeout(30_000)
    redis = await startRedisServer()
    operator = new Redis(redis.url)
    sandbox = await createSandbox({ apps: [{ appid: 'wx1111111111111111', secret: '1'.repeat(32) }] })
    const job = { redisUrl: redis.url, apps: sandbox.apps, baseUrl: sandbox.url, timeoutMs: 2000 }
    apps = await Promise.all([WechatApp.start(job), WechatApp.start(job)])
  })
  after(async () => {
    for (const app of apps) app.kill()
    operator.disconnect()
    await sandbox.close()
    await redis.stop()
  })

  /** Whether a failure of before is still that of all who ask. */
  async function isClaimed(): Promise<boolean> {
    return (await operator.keys('*')).length > 0
  }

  async function askAll(): Promise<Record<string, number>> {
    const answers = []
    for (let asked = 0; asked < CALLERS; asked += AT_ONCE) {
      const wave = Array.from({ length: AT_ONCE }, (_, index) => apps[index % apps.length]?.accessToken())
      answers.push(...(await Promise.all(wave)))
    }
    return countsOf(answers.filter((answer) => answer !== undefined))
  }

  for (const [what, how, code, callsOfOne] of [
    ['WeChat refuses the secret', { errcode: 40125 }, 'ERR_SERVER_MISCONFIGURED', 1],
    ['WeChat is busy', { errcode: -1 }, 'ERR_WECHAT_BUSY', 3],
    ['WeChat answers 500', 'http500', 'ERR_WECHAT_ANSWER_INVALID', 1],
    ['WeChat hangs up', 'drop', 'ERR_WECHAT_NO_ANSWER', 1],
  ] as const) {
    it(`is not asked for by each of 500 callers when ${what}`, async () => {
      sandbox.clearCalls()
      const end = sandbox.misbehave(how, { path: STABLE_TOKEN })
      const began = performance.now()
      expect(await askAll()).to.deep.equal({ [code]: CALLERS })
      const seconds = (performance.now() - began) / 1000
      // Once a second, by one of them; the claim of a failure may end in the middle of a question.
      expect(sandbox.callCount(STABLE_TOKEN)).to.be.within(1, 2 * callsOfOne * Math.ceil(seconds))
      end()
      for (const app of apps) await app.pass(1000)
      await until(async () => !(await isClaimed()))
    })
  }

  it('is had by all when WeChat gives it again', async () => {
    sandbox.clearCalls()
    await until(async () => (await apps[0]?.accessToken())?.code === 'ok')
    expect(await askAll()).to.deep.equal({ ok: CALLERS })
    expect(sandbox.callCount(STABLE_TOKEN)).to.equal(1)
  })
})
