import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import * as publicValues from '../../lib/index.js'
import { compile, createConsumer, strictTsconfig, typesInstalled } from './consumer.js'
import { codeBlocks, readmes, readText } from './readme.js'
import { readSources, root } from './source-tree.js'

const documents = [
  ...readmes,
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

/** What the samples for a server go on from: what the server of the README makes, and what the text says is the reader's own. */
const serverNames = `
declare const app: import('express').Express
declare const express: typeof import('express')
declare const req: import('express').Request
declare const sessions: import('weapp-session').Sessions
declare const store: import('weapp-session').SessionStore
declare const MyStore: new (options: { table: string }) => import('weapp-session').SessionStore
declare const apps: import('weapp-session').AppInfo[]
declare const redis: import('ioredis').Redis
declare const nodeRedis: { readonly isOpen: boolean; destroy(): void; connect(): Promise<unknown> }
declare const server: import('node:http').Server
declare const users: {
  findOrCreate(user: { appid: string; openid: string; unionid: string | undefined }): Promise<{ isBanned: boolean }>
  ban(row: { unionid: string }): Promise<{ appid: string; openid: string }[]>
}
declare const accounts: { merge(appid: string, openid: string): Promise<unknown> }
declare const operators: {
  of(req: import('express').Request): Promise<{ name: string; mayDo(action: string): boolean } | undefined>
}
declare const audits: { insert(event: import('weapp-session').AuditEvent): Promise<void> }
declare const ourCorpid: string
declare const weComAccessToken: (signal: AbortSignal) => Promise<string>
declare const tokenServer: { get(appid: string, options: { not: string | undefined }): Promise<string> }
declare const readLogin: (request: import('weapp-session').WireRequest) => import('weapp-session').LoginRequest
`

/** The same for those on a phone; and what the older systems had, from which people move. */
const scriptNames = `
declare const client: import('weapp-session/client').Client
declare const baseUrl: string
declare const nickName: string
declare const event: { detail: { avatarUrl: string } }
declare const app: any
declare const store: any
declare const session: any
declare const qcloud: any
declare const LoginService: any
`

/** The code blocks in a language, each once, under a name that tells where it stands. */
function samplesIn(language: string): Map<string, string> {
  const seen = new Set<string>()
  const samples = new Map<string, string>()
  for (const path of documents) {
    const blocks = codeBlocks(readText(path)).filter((block) => block.language === language)
    for (const [index, { code }] of blocks.entries()) {
      if (seen.has(code)) continue
      seen.add(code)
      samples.set(`${path.replaceAll(/\W/g, '-')}-${index + 1}.${language}`, code)
    }
  }
  return samples
}

/** All that the package exports to its users, types included. */
const publicNames = readSources('lib')
  .filter(({ path }) => path === 'lib/index.ts')
  .flatMap(({ exports }) => exports.map(({ exportName }) => exportName.name ?? ''))

/** A sample with imports of what it takes from the package without saying so, as the block before it did. */
function completed(code: string): string {
  const [imports = ''] = /^(?:import [^']*'[^']*'\n)*/.exec(code) ?? []
  const declared = (name: string) =>
    new RegExp(`\\b${name}\\b`).test(imports) || new RegExp(`(?:const|function|class) ${name}\\b`).test(code)
  const used = publicNames.filter(
    (name) => new RegExp(`(?<![.'\\w])${name}\\b`).test(code) && !declared(name),
  )
  return `import { ${used.join(', ')} } from 'weapp-session'\n${code}\nexport {}\n`
}

function recipes(): Record<string, string> {
  const names = readdirSync(join(root, 'docs/recipes'))
  return Object.fromEntries(names.map((name) => [name, readText(`docs/recipes/${name}`)]))
}

describe('the samples of all documents', () => {
  it('compile, those for a server, as strict TypeScript', async function () {
    this.timeout(120_000)
    // The one for NestJS is compiled and run by a spec of its own.
    const server = [...samplesIn('ts')].filter(([, code]) => !code.includes('@nestjs'))
    const samples = server.map(([name, code]) => [name, completed(code)])
    expect(samples).to.have.lengthOf.above(20)
    const folder = await createConsumer({
      files: {
        'package.json': { type: 'module' },
        'tsconfig.json': {
          compilerOptions: { ...strictTsconfig.compilerOptions, noEmit: true },
        },
        'names.d.ts': serverNames,
        ...recipes(),
        ...Object.fromEntries(samples),
      },
      installed: { express: 'express', ioredis: 'ioredis', ...typesInstalled },
    })
    await compile(folder)
  })

  it('compile, those for a phone and those in JavaScript, with the names that the documents have introduced', async function () {
    this.timeout(120_000)
    // The tests in the README and the reference are run by a spec of their own.
    const scripts = [...samplesIn('js')].filter(([, code]) => !code.includes('await createSandbox()'))
    const samples = scripts.map(([name, code]) => [name, `${code}\nexport {}\n`])
    expect(samples).to.have.lengthOf.above(8)
    const folder = await createConsumer({
      files: {
        'package.json': { type: 'module' },
        'tsconfig.json': {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023'],
            module: 'nodenext',
            strict: false,
            allowJs: true,
            checkJs: true,
            noEmit: true,
            skipLibCheck: true,
            types: ['node', 'miniprogram-api-typings'],
          },
        },
        'names.d.ts': scriptNames,
        ...Object.fromEntries(samples),
      },
      installed: {
        express: 'express',
        ioredis: 'ioredis',
        'miniprogram-api-typings': 'miniprogram-api-typings',
        ...typesInstalled,
      },
    })
    await compile(folder)
  })

  describe('that declare types of the application', () => {
    const projectOf = (name: string, code: string) =>
      createConsumer({
        files: {
          'package.json': { type: 'module' },
          'tsconfig.json': { compilerOptions: { ...strictTsconfig.compilerOptions, noEmit: true } },
          'names.d.ts': serverNames,
          [name]: completed(code),
        },
        installed: { express: 'express', ioredis: 'ioredis', ...typesInstalled },
      })

    it('compile, each in a project of its own', async function () {
      this.timeout(120_000)
      const samples = [...samplesIn('typescript')]
      expect(samples).to.have.lengthOf(2)
      for (const [name, code] of samples)
        await compile(await projectOf(name.replace(/typescript$/, 'ts'), code))
    })

    it('make what they forbid a type error: other data, and a session on a route without a guard', async function () {
      this.timeout(120_000)
      const [, [, declaration = ''] = []] = [...samplesIn('typescript')]
      const wrong = {
        'sessions.setData(await sessions.authenticate(undefined), { cart: "all" })':
          /'string' is not assignable/,
        'createSessions({ apps, store, onLogin: () => ({ basket: [] }) })': /'cart' is missing|basket/,
        'app.get("/me", (req, res) => res.json(req.openid.length))': /req\.openid' is possibly 'undefined'/,
        'app.get("/me", (req, res) => res.json(req.weapp.sessionId))': /req\.weapp' is possibly 'undefined'/,
      }
      for (const [code, message] of Object.entries(wrong)) {
        const failure = await projectOf('wrong.ts', `${declaration}\n${code}`)
          .then(compile)
          .catch((error: unknown) => error)
        expect(String(failure)).to.match(message)
      }
    })
  })

  it('leave no rejection of an async route to Express 4', () => {
    const isOfAnOlderSystem = (code: string) => code.includes('new LoginService(')
    const bare = [...samplesIn('ts'), ...samplesIn('js')].filter(
      ([, code]) => /(?<!asyncHandler\()async \(_?req, _?res/.test(code) && !isOfAnOlderSystem(code),
    )
    expect(bare).to.deep.equal([])
    expect(publicValues).to.have.property('asyncHandler')
  })
})
