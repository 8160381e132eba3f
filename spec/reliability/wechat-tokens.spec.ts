import { expect } from 'chai'
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

  before(async function () {
    this.timeout(30_000)
    redis = await startRedisServer()
    sandbox = await createSandbox({ apps: [{ appid: 'wx1111111111111111', secret: '1'.repeat(32) }] })
    const job = { redisUrl: redis.url, apps: sandbox.apps, baseUrl: sandbox.url, timeoutMs: 2000 }
    apps = await Promise.all([WechatApp.start(job), WechatApp.start(job)])
  })
  after(async () => {
    for (const app of apps) app.kill()
    await sandbox.close()
    await redis.stop()
  })

  async function askAll(): Promise<Record<string, number>> {
    const answers = []
    for (let asked = 0; asked < CALLERS; asked += AT_ONCE) {
      const wave = Array.from({ length: AT_ONCE }, (_, index) => apps[index % apps.length]?.accessToken())
      answers.push(...(await Promise.all(wave)))
    }
    return countsOf(answers.filter((answer) => answer !== undefined))
  }

  it('is not asked for by each of 500 callers', async () => {
    const end = sandbox.misbehave({ errcode: 40125 }, { path: STABLE_TOKEN })
    const began = performance.now()
    expect(await askAll()).to.deep.equal({ ERR_SERVER_MISCONFIGURED: CALLERS })
    const seconds = (performance.now() - began) / 1000
    // Once a second, by one of them; the claim of a failure may end in the middle of a question.
    expect(sandbox.callCount(STABLE_TOKEN)).to.be.within(1, 2 * Math.ceil(seconds))
    end()
    for (const app of apps) await app.pass(1000)
  })

  it('is had by all when WeChat gives it again', async () => {
    sandbox.clearCalls()
    await until(async () => (await apps[0]?.accessToken())?.code === 'ok')
    expect(await askAll()).to.deep.equal({ ok: CALLERS })
    expect(sandbox.callCount(STABLE_TOKEN)).to.equal(1)
  })
})
