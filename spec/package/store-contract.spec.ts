import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { MemoryStore } from '../../lib/index.js'
import { storeContract } from '../../store-contract/index.js'
import { createConsumer } from './consumer.js'
import { hostProgram } from './hosts.js'
import { packedPackage, run, saidWhy } from './packed-package.js'
import { asCommonJs } from './readme.js'
import { root } from './source-tree.js'

/** A test of a store that is right, or of one that ends a session with its first visit. */
function testOf(store: 'MemoryStore' | 'ForgetfulStore', imports: string): string {
  return `${imports}
import { MemoryStore } from 'weapp-session'
import { storeContract } from 'weapp-session/store-contract'
class ForgetfulStore extends MemoryStore {
  async touch(address, window, withinMs) {
    const visit = await super.touch(address, window, withinMs)
    await super.revoke(address)
    return visit
  }
}
describe('${store}', () => {
  const createStore = () => new ${store}()
  for (const { name, run } of storeContract({ createStore })) it(name, run)
})
`
}

interface Runner {
  readonly title: string
  readonly file: string
  readonly imports: string
  readonly run: (folder: string) => Promise<string>
  /** How it says that so many tests have passed, and none has failed. */
  readonly passed: (count: number) => RegExp
}

async function runNode(folder: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, args, { cwd: folder }).catch(saidWhy)
  return stdout + stderr
}

const mocha = join(root, 'node_modules/mocha/bin/mocha.js')
const ofMocha = {
  run: (folder: string) => runNode(folder, mocha, '--timeout', '20000', 'store.*js'),
  passed: (count: number) => new RegExp(`^ *${count} passing\\b(?![^]*failing)`, 'm'),
}
const ofNodeTest = {
  run: (folder: string) => runNode(folder, '--test', '--test-reporter=tap'),
  passed: (count: number) => new RegExp(`^# pass ${count}\n# fail 0$`, 'm'),
}

const runners: readonly Runner[] = [
  {
    title: 'node:test, as an ES module',
    file: 'store.test.mjs',
    imports: "import { describe, it } from 'node:test'",
    ...ofNodeTest,
  },
  {
    title: 'node:test, as CommonJS',
    file: 'store.test.cjs',
    imports: "import { describe, it } from 'node:test'",
    ...ofNodeTest,
  },
  {
    title: 'mocha, as an ES module',
    file: 'store.spec.mjs',
    imports: "import { describe, it } from 'mocha'",
    ...ofMocha,
  },
  { title: 'mocha, as CommonJS', file: 'store.spec.cjs', imports: '', ...ofMocha },
  {
    title: 'Jest',
    file: 'store.test.js',
    imports: '',
    run: (folder) => runNode(folder, hostProgram('jest/bin/jest.js'), '--ci', '--testTimeout=20000'),
    passed: (count) => new RegExp(`^Tests: +${count} passed, ${count} total$`, 'm'),
  },
]

describe('weapp-session/store-contract of the packed package, in', () => {
  before(async function () {
    this.timeout(60_000)
    await packedPackage()
  })

  const rules = storeContract({ createStore: () => new MemoryStore() })

  for (const { title, file, imports, run, passed } of runners) {
    it(`${title}: passes MemoryStore, and names the rules that a forgetful store breaks`, async function () {
      this.timeout(120_000)
      const write = (store: Parameters<typeof testOf>[0]) => {
        const test = testOf(store, imports)
        return file.endsWith('.mjs') ? test : asCommonJs(test)
      }
      const folder = await createConsumer({
        files: { 'package.json': { jest: { transform: {} } }, [file]: write('MemoryStore') },
        installed: { express: 'express', mocha: 'mocha' },
      })
      expect(rules).to.have.lengthOf.above(200)
      expect(await run(folder)).to.match(passed(rules.length))

      writeFileSync(join(folder, file), write('ForgetfulStore'))
      const failure = await run(folder).catch(String)
      expect(failure).to.contain('Command failed')
      expect(failure).to.contain(
        'the store breaks the rule "touch moves the end further off": AssertionError',
      )
      expect(failure).not.to.contain('the store breaks the rule "revoke')
    })
  }
})
