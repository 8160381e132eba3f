import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { createSessions, loginRouter, MemoryStore, requireSession, type Sessions } from '../../lib/index.js'
import { createSandbox, type RequestResult, type Sandbox, type Wx } from '../../lib/sandbox/index.js'
import { createConsumer } from './consumer.js'
import { run } from './packed-package.js'
import { blockWith, readText } from './readme.js'

type Request = (options: { url: string }) => Promise<RequestResult>

describe('the client in the README', () => {
  let sandbox: Sandbox
  let sessions: Sessions
  let server: ReturnType<express.Express['listen']>
  let base: string
  let wx: Wx
  let request: Request

  before(async () => {
    sandbox = await createSandbox()
    sessions = createSessions({
      apps: sandbox.apps,
      store: new MemoryStore(),
      wechat: { baseUrl: sandbox.url },
      logger: { warn: () => undefined, error: () => undefined },
    })
    const app = express()
    app.use(loginRouter({ sessions }))
    app.get('/me', requireSession({ sessions }), (req, res) => res.json({ openid: req.openid }))
    app.get('/never', (_req, res) => res.status(401).end())
    server = app.listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  beforeEach(() => {
    wx = sandbox.phone({ user: 'reader' }).wx
    request = clientOn(wx)
    sandbox.clearCalls()
  })

  afterEach(() => sessions.revokeAll())

  after(async () => {
    server.close()
    server.closeAllConnections()
    await sessions.close()
    await sandbox.close()
  })

  function clientOn(phone: Wx): Request {
    const code = blockWith(readText('README.md'), 'function sharedLogIn').replace(
      'https://api.example.com',
      base,
    )
    return new Function('wx', `${code}\nreturn request`)(phone) as Request
  }

  const loginCount = () => sandbox.callCount('/sandbox/login')

  it('logs in once for several requests, and not again while the session lives', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => request({ url: '/me' })))
    expect(answers.map(({ statusCode }) => statusCode)).to.deep.equal([200, 200, 200])
    await request({ url: '/me' })
    expect(loginCount()).to.equal(1)
  })

  it('logs in once more when the session has ended, and repeats the request', async () => {
    await request({ url: '/me' })
    await sessions.revokeAll()
    expect(await request({ url: '/me' })).to.include({ statusCode: 200 })
    expect(loginCount()).to.equal(2)
  })

  it('stops after one repetition', async () => {
    expect(await request({ url: '/never' })).to.include({ statusCode: 401 })
    expect(loginCount()).to.equal(2)
  })

  it('rejects with the code when a login fails, and tries anew the next time', async () => {
    sandbox.misbehave({ errcode: 45011 }, { times: 1 })
    const failure = await request({ url: '/me' }).catch((error: unknown) => error)
    expect(failure).to.include({ code: 'ERR_WECHAT_RATE_LIMITED', statusCode: 429 })
    expect(await request({ url: '/me' })).to.include({ statusCode: 200 })
  })
})

describe('the test in the README', () => {
  it('runs', async function () {
    this.timeout(60_000)
    const test = blockWith(readText('README.md'), 'await createSandbox()')
    const folder = await createConsumer({
      files: { 'package.json': { type: 'module' }, 'test.js': test },
      installed: { express: 'express' },
    })
    const { stdout, stderr } = await run(process.execPath, ['test.js'], { cwd: folder })
    expect(stderr).to.match(/^(?:weapp-session: a login failed with ERR_WECHAT_RATE_LIMITED.*\n)?$/)
    expect(stdout).to.equal('')
  })
})
