import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { build } from 'esbuild'
import { before, describe, it } from 'mocha'
import * as lib from '../../lib/index.js'
import { createConsumer, requireInside } from './consumer.js'
import { ofHosts, runHost } from './hosts.js'
import { packedPackage, run } from './packed-package.js'

/** Takes the package in by `import` and by `require`, and compares the classes. */
const bothWays = `import { createRequire } from 'node:module'
import { MemoryStore, RedisStore, WeappError } from 'weapp-session'
import { createSandbox } from 'weapp-session/sandbox'
import { ClientError } from 'weapp-session/client'
const require = createRequire(import.meta.url)
const required = { ...require('weapp-session'), ...require('weapp-session/sandbox'), ...require('weapp-session/client') }
const imported = { MemoryStore, RedisStore, WeappError, createSandbox, ClientError }
`
const printDifferences =
  'console.log(JSON.stringify(Object.keys(imported).filter((name) => imported[name] !== required[name])))'

describe('import and require of the packed package', () => {
  before(async function () {
    this.timeout(60_000)
    await packedPackage()
  })

  for (const nodeOptions of [[], ['--no-experimental-require-module']]) {
    it(`give the same classes in node ${nodeOptions.join(' ')}`, async () => {
      const folder = await createConsumer({
        files: { 'package.json': {}, 'program.mjs': bothWays + printDifferences },
        installed: { express: 'express' },
      })
      const { stdout, stderr } = await run(process.execPath, [...nodeOptions, 'program.mjs'], { cwd: folder })
      expect([JSON.parse(stdout), stderr]).to.deep.equal([[], ''])
    })
  }

  it('give the same names in node', async () => {
    const names = [
      'weapp-session',
      'weapp-session/sandbox',
      'weapp-session/store-contract',
      'weapp-session/client',
    ]
    const program = `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
for (const name of ${JSON.stringify(names)}) {
  const { default: whole, 'module.exports': wholeToo, __esModule, ...imported } = await import(name)
  console.log(JSON.stringify([Object.keys(imported).sort(), Object.keys(require(name)).sort()]))
}`
    const folder = await createConsumer({
      files: { 'package.json': {}, 'program.mjs': program },
      installed: { express: 'express' },
    })
    const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: folder })
    const lines: [string[], string[]][] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    for (const [imported, required] of lines) expect(imported).to.deep.equal(required)
    expect(lines.map(([imported]) => imported)).to.deep.equal([
      Object.keys(lib).sort(),
      ['createSandbox'],
      ['storeContract'],
      ['ClientError', 'createClient'],
    ])
  })

  it('give the same classes in a bundle, which has each file once', async () => {
    const folder = await createConsumer({
      files: {
        'package.json': {},
        'program.mjs': bothWays.replace(/^.*createRequire.*$/gm, '') + printDifferences,
      },
      installed: { express: 'express' },
    })
    for (const format of ['cjs', 'esm'] as const) {
      const outfile = join(folder, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs')
      const { metafile } = await build({
        entryPoints: [join(folder, 'program.mjs')],
        bundle: true,
        platform: 'node',
        format,
        outfile,
        metafile: true,
        external: ['express', 'ioredis'],
        banner: { js: format === 'esm' ? requireInside : '' },
        logLevel: 'silent',
      })
      const files = Object.keys(metafile.inputs).map((path) => /\bweapp-session\/(dist\/.+)/.exec(path)?.[1])
      expect(files.filter((path) => path).sort()).to.deep.equal([
        'dist/client/index.js',
        'dist/cockatiel.cjs',
        'dist/express-rate-limit.cjs',
        'dist/index.js',
        'dist/ioredis.cjs',
        'dist/jsonwebtoken.cjs',
        'dist/lru-cache.cjs',
        'dist/sandbox/index.js',
        'dist/weapp-session.js',
      ])
      const { stdout, stderr } = await run(process.execPath, [outfile])
      expect([JSON.parse(stdout), stderr]).to.deep.equal([[], ''])
    }
  })

  it('give the same classes in Jest 30, to tests of both kinds', async function () {
    this.timeout(60_000)
    const folder = await createConsumer({
      files: {
        'package.json': { jest: { testMatch: ['**/*.test.*js'], transform: {} } },
        'required.test.js': jestTest(
          "const { WeappError, createSessions, MemoryStore } = require('weapp-session')",
        ),
        'both.test.mjs': `import { test, expect } from '@jest/globals'\n${bothWays}
test('one copy', () => {
  for (const [name, it] of Object.entries(imported)) expect(required[name]).toBe(it)
})`,
      },
      installed: { express: 'express', ...ofHosts('@jest/globals') },
    })
    await runHost('jest/bin/jest.js', folder, { args: ['--ci', 'required'] })
    await runHost('jest/bin/jest.js', folder, {
      args: ['--ci', 'both'],
      nodeOptions: ['--experimental-vm-modules', '--no-warnings'],
    })
    writeFileSync(
      join(folder, 'required.test.js'),
      "test('fails', () => { throw new Error('as it should') })",
    )
    const failure = await runHost('jest/bin/jest.js', folder, { args: ['--ci', 'required'] }).catch(String)
    expect(failure).to.contain('Command failed')
  })
})

/** A test that logs a phone in, and looks at the class of a failure. */
function jestTest(load: string): string {
  return `${load}
const { createSandbox } = require('weapp-session/sandbox')
const { createClient } = require('weapp-session/client')
test('a phone logs in', async () => {
  const sandbox = await createSandbox()
  const sessions = createSessions({ apps: sandbox.apps, store: new MemoryStore(), wechat: { baseUrl: sandbox.url } })
  const { code } = await sandbox.phone().wx.login()
  const { token } = await sessions.login({ code })
  expect((await sessions.authenticate(token)).appid).toBe(sandbox.app.appid)
  await expect(sessions.authenticate('?')).rejects.toBeInstanceOf(WeappError)
  expect(typeof createClient).toBe('function')
  await sessions.close()
  await sandbox.close()
})`
}
