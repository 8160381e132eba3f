import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { countsOf, WechatApp } from '../support/wechat-app-process.js'

const SILENT = 'wechat.test'
const LOGINS = 60
/** Of no session: only Redis can tell. */
const TOKEN = 'A'.repeat(64)

describe('a DNS server that does not reply for WeChat', () => {
  let redis: RedisServer
  let sandbox: Sandbox
  let app: WechatApp

  beforeEach(async function () {
    this.timeout(30_000)
    redis = await startRedisServer()
    sandbox = await createSandbox({ apps: [{ appid: 'wx1111111111111111', secret: '1'.repeat(32) }] })
    app = await WechatApp.start({
      // A name, so that each connection has to look it up.
      redisUrl: redis.url.replace('127.0.0.1', 'localhost'),
      apps: sandbox.apps,
      baseUrl: sandbox.url.replace('127.0.0.1', SILENT),
      timeoutMs: 500,
      silentName: SILENT,
    })
  })
  afterEach(async () => {
    app.kill()
    await sandbox.close()
    await redis.stop()
  })

  it('keeps the client of Redis from nothing, and logins work again when it replies', async () => {
    const codes = await Promise.all(
      Array.from({ length: LOGINS }, async () => (await sandbox.phone().wx.login()).code),
    )
    const answers = await Promise.all(codes.map((code) => app.logIn(code)))
    expect(countsOf(answers)).to.deep.equal({ ERR_WECHAT_UNREACHABLE: LOGINS })

    const operator = new Redis(redis.url)
    await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    operator.disconnect()
    // Redis is asked for the token, so that another answer than 503 shows that it is there again.
    await until(async () => (await app.me(TOKEN)).status === 401)

    await app.letDnsReply()
    await app.pass()
    expect(await app.logIn(codes[0] ?? '')).to.include({ code: 'ok' })
    expect(countsOf(await Promise.all(codes.slice(1).map((code) => app.logIn(code))))).to.deep.equal({
      ok: LOGINS - 1,
    })
    await app.end()
  })
})
