import { join } from 'node:path'
import { expect } from 'chai'
import { build, type Format } from 'esbuild'
import { after, before, describe, it } from 'mocha'
import type { Sandbox } from '../../sandbox/index.js'
import { sharedRedis } from '../support/shared-redis.js'
import { createConsumer, requireInside, startProgram } from './consumer.js'
import { packedPackage } from './packed-package.js'
import { listening } from './readme.js'

const program = `import express from 'express'
import { loginRouter } from 'weapp-session'
const app = express()
app.use(loginRouter())
${listening}`

describe('the form without arguments in a bundle', () => {
  let sandbox: Sandbox
  before(async function () {
    this.timeout(60_000)
    sandbox = await (await packedPackage()).sandbox.createSandbox()
  })
  after(() => sandbox.close())

  interface Bundle {
    readonly installed: Readonly<Record<string, string>>
    readonly format: Format
    readonly external?: string[]
    readonly banner?: string
  }

  /** Logs a phone in at the bundle. Answers the status, or why the bundle did not start. */
  async function logInAt({ installed, format, external = [], banner = '' }: Bundle): Promise<unknown> {
    const folder = await createConsumer({
      files: { 'package.json': {}, 'program.mjs': program },
      installed: { express: 'express', ...installed },
    })
    const file = format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs'
    await build({
      entryPoints: [join(folder, 'program.mjs')],
      outfile: join(folder, file),
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
      format,
      external,
      banner: { js: banner },
    })
    const env = {
      WEAPP_APPID: sandbox.app.appid,
      WEAPP_SECRET: sandbox.app.secret,
      WEAPP_API_BASE: sandbox.url,
      REDIS_URL: (await sharedRedis()).url,
    }
    const running = await startProgram(folder, file, env).catch(String)
    if (typeof running === 'string') return running
    try {
      const { wx } = sandbox.phone()
      const { code } = await wx.login()
      const { statusCode } = await wx.request({ url: `${running.url}/login`, method: 'POST', data: { code } })
      return statusCode
    } finally {
      expect(await running.end()).to.equal('')
    }
  }

  const ioredis = { ioredis: 'ioredis' }

  it('has ioredis inside, as CommonJS', async () => {
    expect(await logInAt({ installed: ioredis, format: 'cjs' })).to.equal(200)
  })

  it('has ioredis inside, as an ES module', async () => {
    const bundle: Bundle = { installed: ioredis, format: 'esm', banner: requireInside }
    expect(await logInAt(bundle)).to.equal(200)
  })

  it('finds ioredis beside it, as CommonJS', async () => {
    expect(await logInAt({ installed: ioredis, format: 'cjs', external: ['ioredis'] })).to.equal(200)
  })

  it('finds ioredis beside it, as an ES module', async () => {
    const bundle: Bundle = { installed: ioredis, format: 'esm', external: ['ioredis'], banner: requireInside }
    expect(await logInAt(bundle)).to.equal(200)
  })

  it('says that ioredis is not there, where it is neither inside nor beside', async () => {
    expect(await logInAt({ installed: {}, format: 'cjs' })).to.match(
      /TypeError: REDIS_URL is set, but ioredis cannot be loaded \(Cannot find module 'ioredis'\): npm install ioredis/,
    )
  })

  it('needs a require in an ES module, as Express does', async () => {
    const bundle: Bundle = { installed: ioredis, format: 'esm' }
    const noRequire = /Error: Dynamic require of "[^"]+" is not supported/
    expect(await logInAt({ ...bundle, external: ['express'] })).to.match(noRequire)
    expect(await logInAt({ ...bundle, external: ['weapp-session'] })).to.match(noRequire)
  })
})
