import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { createSandbox } from '../../sandbox/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { type ExampleProcess, killExamples, startExample, stopExample } from './example-process.js'

describe('the example app, as npm start runs it', () => {
  afterEach(killExamples)

  async function logIn({ url, wechatUrl }: ExampleProcess): Promise<string> {
    const { body } = await supertest(wechatUrl).post('/sandbox/login').expect(200)
    const login = await supertest(url).post('/login').send({ code: body.code }).expect(200)
    return login.body.token
  }

  it('needs nothing: it runs on the sandbox and in memory', async () => {
    const app = await startExample()
    const token = await logIn(app)
    const me = await supertest(app.url).get('/me').set('x-3rd-session', token).expect(200)
    expect(me.body.userInfo).to.equal(null)
    expect(me.headers).to.include.keys('content-security-policy', 'x-content-type-options')
    expect(me.headers).not.to.have.property('x-powered-by')
    await supertest(app.url).get('/healthz').expect(200)
  })

  it('ends on SIGTERM by itself, after the requests under way', async () => {
    const app = await startExample()
    await logIn(app)
    const exit = once(app.process, 'exit')
    app.process.kill('SIGTERM')
    const [code, signal] = await exit
    expect({ code, signal }).to.deep.equal({ code: 0, signal: null })
  })

  it('ends on SIGTERM while a browser goes on asking by a connection that it keeps', async () => {
    const app = await startExample()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = () =>
      new Promise<void>((resolve) => {
        const asked = get(`${app.url}/healthz`, { agent }, (answer) => answer.resume().on('end', resolve))
        asked.on('error', () => resolve())
      })
    await ask()
    const exit = once(app.process, 'exit')
    let isOver = false
    void exit.then(() => {
      isOver = true
    })
    app.process.kill('SIGTERM')
    while (!isOver) await ask()
    agent.destroy()
    expect(await exit).to.deep.equal([0, null])
  })

  it('ends on SIGTERM while a browser holds a connection on which it has asked nothing', async () => {
    const app = await startExample()
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.on('error', () => undefined)
    const exit = once(app.process, 'exit')
    app.process.kill('SIGTERM')
    expect(await exit).to.deep.equal([0, null])
    socket.destroy()
  })

  it('names a port that is in use', async () => {
    const app = await startExample()
    const { port } = new URL(app.url)
    const outcome = await startExample({ PORT: port }).catch((error: Error) => error.message)
    expect(outcome).to.match(new RegExp(`Port ${port} is in use; choose another one with PORT\n$`))
  })

  it('uses Redis where REDIS_URL names one, and tells at /readyz whether it answers', async () => {
    const redis: RedisServer = await startRedisServer({ keepData: true })
    try {
      const app = await startExample({ REDIS_URL: redis.url })
      const token = await logIn(app)
      expect((await supertest(app.url).get('/readyz').expect(200)).body).to.include({ store: 'up' })
      await redis.kill()
      await until(async () => (await supertest(app.url).get('/readyz')).status === 503)
      await supertest(app.url).get('/healthz').expect(200)
      await supertest(app.url).get('/me').set('x-3rd-session', token).expect(503)
      await redis.restart()
      await until(async () => (await supertest(app.url).get('/readyz')).status === 200)
      await supertest(app.url).get('/me').set('x-3rd-session', token).expect(200)
    } finally {
      await redis.stop()
    }
  })

  it('uses real credentials where they are given, and then shows no fake WeChat', async () => {
    const app = await startExample({
      WEAPP_APPID: 'wx1',
      WEAPP_SECRET: 'a-planted-secret',
      WEAPP_API_BASE: 'http://127.0.0.1:1',
    })
    expect(app.wechatUrl).to.equal('')
    await supertest(app.url).post('/login').send({ code: 'abc' }).expect(503)
    expect(app.output()).not.to.contain('planted')
  })

  it('serves several apps, divided by commas, and tells them apart by app_id', async () => {
    const apps = [1, 2].map((n) => ({ appid: `wx${String(n).repeat(16)}`, secret: String(n).repeat(32) }))
    const sandbox = await createSandbox({ apps })
    try {
      const app = await startExample({
        WEAPP_APPID: apps.map(({ appid }) => appid).join(),
        WEAPP_SECRET: apps.map(({ secret }) => secret).join(),
        WEAPP_API_BASE: sandbox.url,
      })
      for (const [index, { appid }] of apps.entries()) {
        const { code } = await sandbox.phone({ appid }).wx.login()
        const login = await supertest(app.url)
          .post('/mina/login')
          .send({ code, app_id: index + 1 })
        const { uuid, skey } = login.body.data
        const auth = (app_id: number) => supertest(app.url).post('/mina/auth/').send({ uuid, skey, app_id })
        expect((await auth(index + 1)).body.ok).to.equal('success')
        expect((await auth(2 - index)).body).to.include({ ok: 'fail', msg: '验证失败' })
      }
    } finally {
      await sandbox.close()
    }
  })

  it('warns once when others can reach the page, whose controls are not for them', async () => {
    const real = { WEAPP_APPID: 'wx1', WEAPP_SECRET: 'a-secret' }
    for (const [environment, warnings] of [
      [{}, 0],
      [{ HOST: '0.0.0.0' }, 1],
      [{ HOST: '0.0.0.0', ...real }, 0],
    ] as const) {
      const app = await startExample({ ...environment })
      await stopExample(app)
      expect(app.output().split('its controls work on this machine only')).to.have.lengthOf(1 + warnings)
    }
  })

  it('names the variable that is wrong and ends', async function () {
    this.timeout(60_000)
    for (const [environment, message] of [
      [{ PORT: 'x' }, /PORT must be a whole number/],
      [{ HOST: '203.0.113.1' }, /HOST 203\.0\.113\.1: EADDRNOTAVAIL/],
      [{ WEAPP_APPID: 'wx1' }, /WEAPP_SECRET is not set/],
      [{ WEAPP_APPID: 'wx1,wx2', WEAPP_SECRET: 'one' }, /WEAPP_SECRET must have as many secrets/],
      [{ WEAPP_APPID: '"wx1"', WEAPP_SECRET: 'one' }, /WEAPP_APPID must be an AppID/],
      [{ WEAPP_SESSION_DURATION_SECONDS: 'x' }, /sessionDurationSeconds must be a positive number/],
    ] as const) {
      const outcome = await startExample(environment).catch((error: Error) => error.message)
      expect(outcome).to.match(message)
    }
  })
})
