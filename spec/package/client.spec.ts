import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { createContext, Script } from 'node:vm'
import { expect } from 'chai'
import { build } from 'esbuild'
import { after, before, describe, it } from 'mocha'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { compile, createConsumer, startProgram, strictTsconfig } from './consumer.js'
import { packedPackage, temporaryFolder, unpack } from './packed-package.js'

const MOST_BYTES = 7500

/** A mini-program in TypeScript, as somebody would write it. */
const typedProgram = `import { createClient, type ClientError, type PhoneNumber } from 'weapp-session/client'
const client = createClient({ baseUrl: 'https://api.example.com' })
createClient({ baseUrl: 'https://api.example.com', wx })
interface Me { openid: string }
Page({
  async onLoad() {
    const { data, statusCode } = await client.request<Me>({ url: '/me', method: 'GET' })
    const openid: string = data.openid
    const status: number = statusCode
    client.request<Me>({ url: '/me', success: ({ data }) => data.openid, fail: (error) => error.code + error.errMsg })
    await client.uploadFile({ url: '/avatar', filePath: 'a', name: 'b', onTask: (task) => task.onProgressUpdate(() => {}) })
    const number: PhoneNumber = await client.phoneNumber({ code: openid })
    await client.decrypt({ url: '/steps', ...(await wx.getWeRunData()) })
    // @ts-expect-error: a call with callbacks returns no promise
    client.login({ success() {} }).then
    // @ts-expect-error: no such option
    createClient({ baseUrl: 'https://api.example.com', retries: 2 })
    this.setData({ status, number })
  },
  onError(error: ClientError) {
    return error.code
  },
})
`

describe('weapp-session/client, packed', () => {
  let folder: string
  let sandbox: Sandbox
  before(async function () {
    this.timeout(60_000)
    folder = temporaryFolder()
    await unpack((await packedPackage()).tarball, folder)
    sandbox = await createSandbox()
  })
  after(() => sandbox.close())

  /** The folder that "build npm" of DevTools copies. */
  function miniProgramFolder(): string {
    const { miniprogram } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return join(folder, miniprogram)
  }

  /** Loads a module as a mini-program does: there are `wx`, timers and the language, and nothing of Node. */
  function load(name: string, wx: object): Record<string, (options: object) => never> {
    const context = createContext({ wx, setTimeout, clearTimeout })
    // On iPhones WeChat has a Promise of its own, which lacks it.
    new Script('delete Promise.prototype.finally').runInContext(context)
    const loaded = new Map<string, { exports: object }>()
    function requireFrom(from: string, specifier: string): object {
      const path = posix.join(posix.dirname(from), specifier)
      const module = loaded.get(path) ?? { exports: {} }
      if (loaded.has(path)) return module.exports
      loaded.set(path, module)
      const code = readFileSync(join(miniProgramFolder(), path), 'utf8')
      const define = new Script(`(function (require, module, exports) {${code}\n})`).runInContext(context)
      define((inner: string) => requireFrom(path, inner), module, module.exports)
      return module.exports
    }
    return requireFrom('/', name) as Record<string, (options: object) => never>
  }

  for (const name of ['index.js', 'client.js']) {
    it(`runs as ${name} where there is nothing but wx`, async () => {
      const { wx } = sandbox.phone()
      const client = load(name, wx).createClient?.({ baseUrl: sandbox.url, storageKey: 't' }) as unknown as {
        request(option: object): Promise<{ statusCode: number }>
        login(): Promise<never>
      }
      wx.setStorageSync('t', 'a-token')
      expect(await client.request({ url: '/nothing' })).to.include({ statusCode: 404 })
      expect(await client.login().catch(({ code }) => code)).to.equal('ERR_ANSWER_UNEXPECTED')
    })
  }

  it(`is smaller than ${MOST_BYTES} bytes, minified, and depends on nothing`, async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [join(miniProgramFolder(), 'index.js')],
      bundle: true,
      minify: true,
      format: 'cjs',
      target: 'es2018',
      write: false,
      metafile: true,
    })
    expect(outputFiles[0]?.contents.byteLength).to.be.within(1000, MOST_BYTES)
    expect(Object.keys(metafile.inputs)).to.have.lengthOf(1)
  })

  for (const [type, load] of [
    ['module', "import { createClient, ClientError } from 'weapp-session/client'"],
    ['commonjs', "const { createClient, ClientError } = require('weapp-session/client')"],
  ] as const) {
    it(`is found by Taro, uni-app and other builds of type ${type}`, async () => {
      const program = `${load}
const client = createClient({ baseUrl: 'https://a.example', wx: {} })
const server = require_('node:http').createServer((_req, res) => res.end(typeof client.request + typeof ClientError))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
      const node =
        type === 'module'
          ? "import { createRequire } from 'node:module'\nconst require_ = createRequire(import.meta.url)\n"
          : 'const require_ = require\n'
      const project = await createConsumer({
        files: { 'package.json': { type }, 'program.js': node + program },
        installed: {},
      })
      const { url, end } = await startProgram(project, 'program.js')
      try {
        expect(await (await fetch(url)).text()).to.equal('functionfunction')
      } finally {
        expect(await end()).to.equal('')
      }
    })
  }

  it('is typed beside miniprogram-api-typings', async () => {
    const project = await createConsumer({
      files: {
        'package.json': {},
        'program.ts': typedProgram,
        'tsconfig.json': {
          compilerOptions: {
            ...strictTsconfig.compilerOptions,
            lib: ['es2020'],
            types: ['miniprogram-api-typings'],
            skipLibCheck: false,
            noEmit: true,
          },
        },
      },
      installed: { 'miniprogram-api-typings': 'miniprogram-api-typings' },
    })
    await compile(project)
  })
})
