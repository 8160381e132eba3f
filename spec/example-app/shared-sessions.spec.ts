import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { createSandbox, type Phone, type Sandbox } from '../../sandbox/index.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { type ExampleProcess, killExamples, startExample, stopExample } from './example-process.js'

const FILE = 'example-app.sqlite'

describe('the example app on a Redis that outlives it', () => {
  let redis: RedisServer
  let sandbox: Sandbox
  let folder: string
  let alice: Phone
  let bob: Phone

  beforeEach(async () => {
    redis = await startRedisServer()
    sandbox = await createSandbox()
    folder = mkdtempSync(join(tmpdir(), 'weapp-session-example-'))
    alice = sandbox.phone({ user: 'alice' })
    bob = sandbox.phone({ user: 'bob' })
  })
  afterEach(async () => {
    killExamples()
    await sandbox.close()
    await redis.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const start = (environment: Record<string, string> = {}) =>
    startExample(
      {
        REDIS_URL: redis.url,
        WEAPP_APPID: sandbox.app.appid,
        WEAPP_SECRET: sandbox.app.secret,
        WEAPP_API_BASE: sandbox.url,
        ...environment,
      },
      folder,
    )

  async function logIn({ url }: ExampleProcess, phone: Phone): Promise<string> {
    const { code } = await phone.wx.login()
    const { body } = await supertest(url).post('/login').send({ code }).expect(200)
    return body.token
  }

  async function rowOf({ url }: ExampleProcess, token: string) {
    return (await supertest(url).get('/me').set('x-3rd-session', token).expect(200)).body.user
  }

  async function callHerself({ url }: ExampleProcess, token: string, nickName: string) {
    await supertest(url)
      .put('/session/user-info')
      .set('x-3rd-session', token)
      .send({ userInfo: { nickName } })
      .expect(200)
  }

  /** Alice logs in, the app starts again with these variables, and Bob is the first to log in. */
  async function restartBetweenAliceAndBob(environment: Record<string, string>) {
    const first = await start(environment)
    const token = await logIn(first, alice)
    await callHerself(first, token, 'Alice')
    await stopExample(first)
    const second = await start(environment)
    const bobsToken = await logIn(second, bob)
    await callHerself(second, bobsToken, 'Bob')
    return { ofAlice: await rowOf(second, token), ofBob: await rowOf(second, bobsToken) }
  }

  it('shows everybody the own row after a restart, and keeps the table as long as the sessions', async () => {
    const { ofAlice, ofBob } = await restartBetweenAliceAndBob({})
    expect(ofAlice).to.include({ nick_name: 'Alice', logins: 1 })
    expect(ofBob).to.include({ nick_name: 'Bob', logins: 1 })
    expect(ofBob.id).not.to.equal(ofAlice.id)
    expect(existsSync(join(folder, FILE))).to.equal(true)
  })

  it('shows everybody the own row also when the table is lost, made anew of what the session knows', async () => {
    const { ofAlice, ofBob } = await restartBetweenAliceAndBob({ DATABASE: ':memory:' })
    expect(ofAlice).to.include({ nick_name: 'Alice', logins: 0 })
    expect(ofBob).to.include({ nick_name: 'Bob', logins: 1 })
    expect(ofBob.id).not.to.equal(ofAlice.id)
    expect(existsSync(join(folder, FILE))).to.equal(false)
  })

  it('shows everybody the own row in two processes at once, which share the table', async () => {
    const [one, two] = await Promise.all([start(), start()])
    const [ofAlice, ofBob] = await Promise.all([logIn(one, alice), logIn(two, bob)])
    await Promise.all([callHerself(one, ofAlice, 'Alice'), callHerself(two, ofBob, 'Bob')])
    for (const app of [one, two]) {
      expect(await rowOf(app, ofAlice)).to.include({ nick_name: 'Alice', logins: 1 })
      expect(await rowOf(app, ofBob)).to.include({ nick_name: 'Bob', logins: 1 })
    }
  })

  it('shows everybody the own row in two processes with a table each', async () => {
    const [one, two] = await Promise.all(['one', 'two'].map((name) => start({ DATABASE: name })))
    if (!one || !two) return expect.fail('two processes are started')
    const [ofAlice, ofBob] = await Promise.all([logIn(one, alice), logIn(two, bob)])
    await Promise.all([callHerself(one, ofAlice, 'Alice'), callHerself(two, ofBob, 'Bob')])
    for (const app of [one, two]) {
      expect(await rowOf(app, ofAlice)).to.include({ nick_name: 'Alice' })
      expect(await rowOf(app, ofBob)).to.include({ nick_name: 'Bob' })
    }
  })

  it('loses no login while two processes write to one table', async () => {
    const [one, two] = await Promise.all([start(), start()])
    await Promise.all(Array.from({ length: 40 }, (_, n) => logIn(n % 2 ? one : two, alice)))
    const token = await logIn(one, alice)
    for (const app of [one, two]) expect(await rowOf(app, token)).to.include({ logins: 41 })
  })
})
