import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { compile, createConsumer, strictTsconfig, typesInstalled } from './consumer.js'
import { run, saidWhy } from './packed-package.js'
import { asCommonJs, blockWith, readmeProgram, readmeTest, readText, references } from './readme.js'

const projects = [
  { title: 'JavaScript, ES modules', type: 'module', language: 'js' },
  { title: 'JavaScript, CommonJS', type: 'commonjs', language: 'js' },
  { title: 'TypeScript, ES modules', type: 'module', language: 'ts' },
  { title: 'TypeScript, CommonJS', type: 'commonjs', language: 'ts' },
] as const

describe('the quick start of the README, server and test as they stand, in', () => {
  async function createProject({ type, language }: (typeof projects)[number]): Promise<string> {
    const written = type === 'commonjs' && language === 'js' ? asCommonJs : (program: string) => program
    const folder = await createConsumer({
      files: {
        'package.json': { type },
        'tsconfig.json': strictTsconfig,
        [`server.${language}`]: written(readmeProgram()),
        [`server.test.${language}`]: written(readmeTest()).replaceAll('3001', String(await freePort())),
      },
      installed: { express: 'express', ioredis: 'ioredis', ...(language === 'ts' && typesInstalled) },
    })
    if (language === 'ts') await compile(folder)
    return folder
  }

  for (const project of projects) {
    it(`${project.title}: passes without credentials and without Redis`, async function () {
      this.timeout(60_000)
      const folder = await createProject(project)
      const options = { cwd: folder, env: { PATH: process.env.PATH } }
      const { stdout } = await run(process.execPath, ['--test', 'server.test.js'], options).catch(saidWhy)
      expect(stdout)
        .to.match(/^# pass 1$/m)
        .and.match(/^# fail 0$/m)
    })
  }
})

for (const path of references) {
  describe(`the test in ${path}`, () => {
    it('runs', async function () {
      this.timeout(60_000)
      const folder = await createConsumer({
        files: {
          'package.json': { type: 'module' },
          'test.js': blockWith(readText(path), 'await createSandbox()'),
        },
        installed: { express: 'express' },
      })
      const { stdout, stderr } = await run(process.execPath, ['test.js'], { cwd: folder })
      expect(stderr).to.match(/^(?:weapp-session: a login failed with ERR_WECHAT_RATE_LIMITED.*\n)?$/)
      expect(stdout).to.equal('')
    })
  })
}

/** A port that nobody listens on, for a program that has to be told one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
