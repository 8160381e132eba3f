import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { Sandbox } from '../../sandbox/index.js'
import { sharedRedis } from '../support/shared-redis.js'
import { compile, createConsumer, startProgram, strictTsconfig, typesInstalled } from './consumer.js'
import { packedPackage } from './packed-package.js'
import { asCommonJs, runnableProgram } from './readme.js'

interface Project {
  readonly title: string
  readonly type: 'module' | 'commonjs'
  readonly language: 'js' | 'ts'
  readonly express: 'express' | 'express4'
}

const projects: readonly Project[] = [
  { title: 'JavaScript, ES modules', type: 'module', language: 'js', express: 'express' },
  { title: 'JavaScript, ES modules, Express 4', type: 'module', language: 'js', express: 'express4' },
  { title: 'JavaScript, CommonJS', type: 'commonjs', language: 'js', express: 'express' },
  { title: 'TypeScript, ES modules', type: 'module', language: 'ts', express: 'express' },
  { title: 'TypeScript, CommonJS', type: 'commonjs', language: 'ts', express: 'express' },
]

describe('the server of the README in a project of', () => {
  let sandbox: Sandbox
  before(async function () {
    this.timeout(60_000)
    sandbox = await (await packedPackage()).sandbox.createSandbox()
  })
  after(() => sandbox.close())

  async function createProject({ type, language, express }: Project): Promise<string> {
    const program = `import { createSandbox } from 'weapp-session/sandbox'\n${runnableProgram()}`
    const isRequiring = type === 'commonjs' && language === 'js'
    const folder = await createConsumer({
      files: {
        'package.json': { name: 'consumer', private: true, type },
        'tsconfig.json': strictTsconfig,
        [`program.${language}`]: `${isRequiring ? asCommonJs(program) : program}\ncreateSandbox.call\n`,
      },
      installed: { express, ioredis: 'ioredis', ...(language === 'ts' && typesInstalled) },
    })
    if (language === 'ts') await compile(folder)
    return folder
  }

  for (const project of projects) {
    it(`${project.title}: logs a phone in and knows it again`, async () => {
      const folder = await createProject(project)
      const { appid, secret } = sandbox.app
      const wechat = { WEAPP_APPID: appid, WEAPP_SECRET: secret, WEAPP_API_BASE: sandbox.url }
      const env = { ...wechat, REDIS_URL: (await sharedRedis()).url, PORT: '0' }
      const { url, end } = await startProgram(folder, 'program.js', env)
      try {
        const { wx, user } = sandbox.phone()
        const { code } = await wx.login()
        const userInfo = { nickName: user }
        const login = await wx.request<{ token: string }>({
          url: `${url}/login`,
          method: 'POST',
          data: { code, userInfo },
        })
        const header = { 'x-3rd-session': login.data.token }
        const me = await wx.request({ url: `${url}/me`, header })
        expect(me).to.deep.include({
          statusCode: 200,
          data: { user: { logins: 1 }, userInfo: { nickName: user, verified: false } },
        })
        expect(await wx.request({ url: `${url}/me` })).to.include({ statusCode: 401 })
      } finally {
        expect(await end()).to.equal('')
      }
    })
  }
})
