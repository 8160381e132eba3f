import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { compile, createConsumer, strictTsconfig, typesInstalled } from './consumer.js'
import { runHost } from './hosts.js'
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

/** All entries, in a test that runs on Node. */
const nodeTest = `import { createClient, type Client } from 'weapp-session/client'
import { createSandbox, type Sandbox } from 'weapp-session/sandbox'
import { createSessions, MemoryStore, type SessionStore, WeappError } from 'weapp-session'
import { storeContract, type StoreRule } from 'weapp-session/store-contract'
export async function test(): Promise<boolean> {
  const sandbox: Sandbox = await createSandbox()
  const sessions = createSessions({ apps: sandbox.apps, store: new MemoryStore() })
  const client: Client = createClient({ baseUrl: sandbox.url, wx: sandbox.phone().wx })
  const { data } = await client.request<{ openid: string }>({ url: '/me', onTask: (task) => task.abort() })
  // @ts-expect-error: no such option
  await client.request({ url: '/me', methods: 'GET' })
  const text: string = data.openid
  const createStore = (): SessionStore => new MemoryStore()
  const [rule]: StoreRule[] = storeContract({ createStore })
  await rule?.run()
  // @ts-expect-error: no such option
  storeContract({ createStore, clock: Date.now })
  return sessions.ping().then(() => text === '', (error) => error instanceof WeappError)
}
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

  it('accept the server of the README as it stands', async () => {
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

  async function checkNodeTest(
    type: 'commonjs' | 'module',
    module: string,
    moduleResolution: string,
    tsc: (folder: string) => Promise<void>,
  ): Promise<unknown> {
    const compilerOptions = { ...strictTsconfig.compilerOptions, target: 'es2022', module, moduleResolution }
    const folder = await createConsumer({
      files: {
        'package.json': { type },
        'tsconfig.json': { compilerOptions: { ...compilerOptions, noEmit: true } },
        'program.ts': nodeTest,
      },
      installed: { express: 'express', ...typesInstalled },
    })
    return tsc(folder).catch(String)
  }

  for (const [type, module, moduleResolution] of [
    ['commonjs', 'node16', 'node16'],
    ['module', 'node16', 'node16'],
    ['commonjs', 'nodenext', 'nodenext'],
    ['module', 'esnext', 'bundler'],
  ] as const) {
    it(`of all entries are found by ${moduleResolution} in a project of type ${type}, without the typings of WeChat`, async () => {
      expect(await checkNodeTest(type, module, moduleResolution, compile)).to.equal(undefined)
    })
  }

  it('of all entries are found by node10 of TypeScript 5, without the typings of WeChat', async function () {
    this.timeout(60_000)
    const tsc5 = (folder: string) => runHost('typescript/bin/tsc', folder, { args: ['-p', '.'] })
    expect(await checkNodeTest('commonjs', 'commonjs', 'node10', tsc5)).to.equal(undefined)
  })
})
