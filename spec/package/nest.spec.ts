import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { createConsumer, typesInstalled } from './consumer.js'
import { hostProgram, ofHosts, runHost } from './hosts.js'
import { packedPackage, run } from './packed-package.js'
import { blockWith, readText } from './readme.js'

const test = `import 'reflect-metadata'
import { Controller, Get, type MiddlewareConsumer, Module, Post, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Request } from 'express'
import { createSessions, loginRouter, MemoryStore, requireSession, WeappError } from 'weapp-session'
import { createSandbox, type Sandbox } from 'weapp-session/sandbox'
import { WeappErrorFilter } from './filter.js'

declare const test: (name: string, run: () => Promise<void>) => void
declare const expect: (value: unknown) => { toEqual(value: unknown): void }

@Controller()
class Steps {
  @Get('me')
  me(@Req() req: Request) {
    return { openid: req.openid }
  }

  @Post('steps')
  steps(@Req() req: Request) {
    return req.weapp.decrypt(req.body, { as: 'weRun' })
  }

  @Get('blocked')
  blocked() {
    throw new WeappError('ERR_USER_BLOCKED', 'You are blocked.')
  }
}

@Module({ controllers: [Steps] })
class AppModule {}

test('a phone logs in, and failures keep their code', async () => {
  const sandbox: Sandbox = await createSandbox()
  const sessions = createSessions({ apps: sandbox.apps, store: new MemoryStore(), wechat: { baseUrl: sandbox.url } })
  const app = await NestFactory.create(AppModule, { logger: false })
  app.use(loginRouter({ sessions, limit: { perAddress: 2 } }))
  for (const path of ['/me', '/steps', '/blocked']) app.use(path, requireSession({ sessions }))
  app.useGlobalFilters(new WeappErrorFilter())
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()

  const { wx, openid } = sandbox.phone()
  const { code } = await wx.login()
  const login = await wx.request<{ token: string }>({ url: url + '/login', method: 'POST', data: { code } })
  const header = { 'x-3rd-session': login.data.token }
  const codeOf = async (path: string, method: 'GET' | 'POST', header = {}) => {
    const { statusCode, data } = await wx.request<{ code: string }>({ url: url + path, method, header, data: { encryptedData: '?', iv: '?' } })
    return [statusCode, data.code]
  }
  expect((await wx.request({ url: url + '/me', header })).data).toEqual({ openid })
  expect(await codeOf('/me', 'GET')).toEqual([401, 'ERR_TOKEN_MISSING'])
  expect(await codeOf('/steps', 'POST', header)).toEqual([400, 'ERR_DATA_MALFORMED'])
  expect(await codeOf('/blocked', 'GET', header)).toEqual([403, 'ERR_USER_BLOCKED'])
  expect((await codeOf('/nothing', 'GET'))[0]).toEqual(404)

  const logIn = (code: string) => wx.request<{ code: string }>({ url: url + '/login', method: 'POST', data: { code } })
  const refused = [await logIn('invented1'), await logIn('invented2'), await logIn('invented3')]
  expect(refused.map(({ statusCode, data }) => [statusCode, data.code])).toEqual([
    [401, 'ERR_CODE_INVALID'],
    [401, 'ERR_CODE_INVALID'],
    [429, 'ERR_LOGIN_LIMIT'],
  ])

  await app.close()
  await sessions.close()
  await sandbox.close()
})
`

/** As `nest new` of version 11 writes it. */
const tsconfig = {
  compilerOptions: {
    module: 'nodenext',
    moduleResolution: 'nodenext',
    resolvePackageJsonExports: true,
    esModuleInterop: true,
    isolatedModules: true,
    declaration: true,
    removeComments: true,
    emitDecoratorMetadata: true,
    experimentalDecorators: true,
    allowSyntheticDefaultImports: true,
    target: 'ES2023',
    sourceMap: true,
    outDir: './dist',
    incremental: true,
    skipLibCheck: true,
    strictNullChecks: true,
    types: ['node'],
  },
}

describe('NestJS 11, tested with Jest 30', () => {
  before(async function () {
    this.timeout(60_000)
    await packedPackage()
  })

  it('answers what a controller throws by the filter of the reference', async function () {
    this.timeout(60_000)
    const folder = await createConsumer({
      files: {
        'package.json': { jest: { rootDir: 'dist', testMatch: ['**/*.e2e-spec.js'], transform: {} } },
        'tsconfig.json': tsconfig,
        'filter.ts': blockWith(readText('docs/reference.md'), 'ExceptionFilter'),
        'app.e2e-spec.ts': test,
      },
      installed: {
        ...typesInstalled,
        ...ofHosts(
          '@nestjs/common',
          '@nestjs/core',
          '@nestjs/platform-express',
          'reflect-metadata',
          'express',
        ),
      },
    })
    await runHost('typescript/bin/tsc', folder, { args: ['-p', '.'] })
    const { stderr } = await run(process.execPath, [hostProgram('jest/bin/jest.js'), '--ci'], { cwd: folder })
    expect(stderr).to.match(/^Tests: +(\d+) passed, \1 total$/m)
  })
})
