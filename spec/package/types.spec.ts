import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { compile, createConsumer, strictTsconfig, typesInstalled } from './consumer.js'
import { packedPackage } from './packed-package.js'
import { readmeProgram } from './readme.js'

const besideExpressSession = `import type {} from 'express-session'
import express from 'express'
import { loginRouter, requireSession, type RequestSession, type UserInfo } from 'weapp-session'
const app = express()
app.use(loginRouter())
app.get('/me', requireSession(), (req, res) => {
  const openid: string = req.openid
  const userInfo: UserInfo | null = req.userInfo
  const weapp: RequestSession = req.weapp
  const cookieId: string = req.sessionID
  const maxAge: number | undefined = req.session.cookie.maxAge
  // @ts-expect-error: openid is a text
  const wrong: number = req.openid
  // @ts-expect-error: session_key never leaves the package
  weapp.sessionKey
  // @ts-expect-error: no such option
  requireSession({ headers: 'x-token' })
  res.json({ openid, userInfo, since: weapp.createdAt, cookieId, maxAge, wrong })
})
`

describe('the declarations of the packed package', () => {
  before(async function () {
    this.timeout(60_000)
    await packedPackage()
  })

  async function check(program: string, types: Record<string, string>): Promise<unknown> {
    const folder = await createConsumer({
      files: { 'package.json': { type: 'module' }, 'tsconfig.json': strictTsconfig, 'program.ts': program },
      installed: { express: 'express', ioredis: 'ioredis', ...types },
    })
    return compile(folder).catch(String)
  }

  it('accept the program of the README as it stands', async () => {
    expect(await check(readmeProgram(), typesInstalled)).to.equal(undefined)
  })

  it('stand beside those of express-session', async () => {
    const types = { ...typesInstalled, '@types/express-session': '@types/express-session' }
    expect(await check(besideExpressSession, types)).to.equal(undefined)
  })

  it('accept a client of ioredis 5', async () => {
    expect(await check(readmeProgram(), { ...typesInstalled, ioredis: 'ioredis5' })).to.equal(undefined)
  })

  it('refuse a wrong program', async () => {
    const program = readmeProgram().replace('req.userInfo', 'req.userinfo')
    expect(await check(program, typesInstalled)).to.match(/Property 'userinfo' does not exist/)
  })
})
