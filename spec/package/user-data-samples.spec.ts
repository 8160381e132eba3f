import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { compile, createConsumer, strictTsconfig, typesInstalled } from './consumer.js'
import { packedPackage } from './packed-package.js'
import { codeBlocks, readText } from './readme.js'

/** What the samples take for given. */
const BEFORE = `import express from 'express'
import {
  type CodeExchange, createSessions, douyinExchange, MemoryStore, type OpenDataReader, problemHandler, qqExchange, requireSession, WeappError,
} from 'weapp-session'
const app = express()
const apps = [{ appid: 'wx1', secret: 's1' }]
const store = new MemoryStore()
const sessions = createSessions({ apps, store })
declare const tokenServer: { get(appid: string, options: { not: string | undefined }): Promise<string> }
declare const ourCorpid: string
declare function weComAccessToken(signal: AbortSignal): Promise<string>
`

describe('the samples of docs/user-data for the server', () => {
  before(async function () {
    this.timeout(60_000)
    await packedPackage()
  })

  for (const file of ['docs/user-data.md', 'docs/user-data.zh-CN.md']) {
    it(`compile as they stand, in ${file}`, async () => {
      const samples = codeBlocks(readText(file)).filter(({ language }) => language === 'ts')
      expect(samples).to.have.length.above(5)
      const functions = samples.map(
        ({ code }, index) => `export async function sample${index}(req: express.Request) {\n${code}\n}\n`,
      )
      const folder = await createConsumer({
        files: {
          'package.json': { type: 'module' },
          'tsconfig.json': strictTsconfig,
          'samples.ts': BEFORE + functions.join('\n'),
        },
        installed: { express: 'express', ...typesInstalled },
      })
      expect(await compile(folder).catch(String)).to.equal(undefined)
    })
  }
})
