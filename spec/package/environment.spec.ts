import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { Sandbox } from '../../sandbox/index.js'
import { sharedRedis } from '../support/shared-redis.js'
import { createConsumer, startProgram } from './consumer.js'
import { packedPackage } from './packed-package.js'
import { listening } from './readme.js'

const program = `import express from 'express'
import { loginRouter, requireSession } from 'weapp-session'
const app = express()
app.use(loginRouter())
app.use('/again', loginRouter())
app.get('/me', requireSession(), (req, res) => res.json({ openid: req.openid }))
${listening}`

describe('the form without arguments', () => {
  let sandbox: Sandbox
  before(async function () {
    this.timeout(60_000)
    sandbox = await (await packedPackage()).sandbox.createSandbox()
  })
  after(() => sandbox.close())

  const environment = () => ({
    WEAPP_APPID: sandbox.app.appid,
    WEAPP_SECRET: sandbox.app.secret,
    WEAPP_API_BASE: sandbox.url,
  })

  function createProject(installed: Record<string, string>): Promise<string> {
    return createConsumer({ files: { 'package.json': { type: 'module' }, 'program.js': program }, installed })
  }

  async function logInAndAsk(url: string): Promise<unknown> {
    const { wx, openid } = sandbox.phone()
    const { code } = await wx.login()
    const login = await wx.request<{ token: string }>({ url: `${url}/login`, method: 'POST', data: { code } })
    const me = await wx.request({ url: `${url}/me`, header: { 'x-3rd-session': login.data.token } })
    expect(me.data).to.deep.equal({ openid })
    return login.data.token
  }

  it('keeps sessions in memory without REDIS_URL, says so once, and needs no ioredis', async () => {
    const folder = await createProject({ express: 'express' })
    const { url, end } = await startProgram(folder, 'program.js', { ...environment(), REDIS_URL: '' })
    try {
      await logInAndAsk(url)
    } finally {
      expect((await end()).trim().split('\n'))
        .to.have.lengthOf(1)
        .and.match(/REDIS_URL is not set/)
    }
  })

  it('keeps sessions in Redis with REDIS_URL, where another process finds them', async () => {
    const folder = await createProject({ express: 'express', ioredis: 'ioredis' })
    const env = { ...environment(), REDIS_URL: (await sharedRedis()).url }
    const first = await startProgram(folder, 'program.js', env)
    const second = await startProgram(folder, 'program.js', env)
    try {
      const token = await logInAndAsk(first.url)
      const answer = await fetch(`${second.url}/me`, { headers: { authorization: `Bearer ${token}` } })
      expect(answer.status).to.equal(200)
    } finally {
      expect(await Promise.all([first.end(), second.end()])).to.deep.equal(['', ''])
    }
  })

  it('works with ioredis 5', async () => {
    const folder = await createProject({ express: 'express', ioredis: 'ioredis5' })
    const env = { ...environment(), REDIS_URL: (await sharedRedis()).url }
    const { url, end } = await startProgram(folder, 'program.js', env)
    try {
      await logInAndAsk(url)
    } finally {
      expect(await end()).to.equal('')
    }
  })

  for (const [title, changes, words] of [
    ['names a variable that is missing', { WEAPP_SECRET: '' }, /TypeError: WEAPP_SECRET is not set/],
    [
      'asks for ioredis when it is not installed',
      { REDIS_URL: 'redis://127.0.0.1:1' },
      /npm install ioredis/,
    ],
  ] as const) {
    it(title, async () => {
      const folder = await createProject({ express: 'express' })
      const failure = await startProgram(folder, 'program.js', { ...environment(), ...changes }).catch(String)
      expect(failure).to.match(words)
    })
  }
})
