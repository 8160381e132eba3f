import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { DOCUMENTS, quoting } from '../bench/documents.js'
import type { Results } from '../bench/results.js'
import { ERROR_CODES, nativeProtocol, WeappError } from '../lib/index.js'
import {
  codeBlocks,
  codeInNoLanguage,
  headingAnchors,
  headingLevels,
  readmes,
  readText,
  references,
  relativeLinks,
  rowNames,
  section,
} from './package/readme.js'
import { nodesIn, parseSource, readSources, root, type SourceFile } from './package/source-tree.js'

const documents = [
  ...readmes,
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'SECURITY.zh-CN.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'example-app/miniprogram/README.md',
  'example-app/miniprogram/README.zh-CN.md',
]

const optionTables: Readonly<Record<string, string>> = {
  '### createClient': 'ClientOptions',
  '### createSessions': 'SessionsOptions',
  '### AppInfo': 'AppInfo',
  '### loginRouter': 'LoginRouterOptions',
  '### adminRouter': 'AdminRouterOptions',
  '### healthRouter': 'HealthRouterOptions',
  '### gracefulShutdown': 'GracefulShutdownOptions',
  '### exitOnSignals': 'ExitOnSignalsOptions',
  '### requireSession': 'RequireSessionOptions',
  '### serviceTokens': 'ServiceTokensOptions',
  '### requireServiceToken': 'RequireServiceTokenOptions',
  '### RedisStore': 'RedisStoreOptions',
  '### MemoryStore': 'MemoryStoreOptions',
}

/** The property names of an interface, those it extends included. */
function optionNames(interfaceName: string, files: readonly SourceFile[]): string[] {
  const found = files
    .flatMap(({ program }) => [...nodesIn(program)])
    .find(({ type, id }) => type === 'TSInterfaceDeclaration' && nameIn(id) === interfaceName)
  if (!found) throw new Error(`there is no interface ${interfaceName}`)
  const parents = found.extends as { expression: unknown }[]
  const members = (found.body as { body: { key?: unknown }[] }).body
  return [
    ...parents.flatMap(({ expression }) => optionNames(nameIn(expression), files)),
    ...members.map(({ key }) => nameIn(key)),
  ]
}

function nameIn(node: unknown): string {
  return String((node as { name?: unknown } | undefined)?.name)
}

const nestedOptions: Readonly<Record<string, string>> = {
  wechat: 'WechatOptions',
  localCache: 'LocalCacheOptions',
}

/** Names the tables use: those of a nested object stand with a dot. */
function documentedNames(interfaceName: string, files: readonly SourceFile[]): string[] {
  return optionNames(interfaceName, files).flatMap((name) => {
    const nested = nestedOptions[name]
    return nested ? optionNames(nested, files).map((inner) => `${name}.${inner}`) : [name]
  })
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const path = file === '' ? from : normalize(join(dirname(from), file))
  if (!existsSync(join(root, path))) return false
  return anchor === undefined || headingAnchors(readText(path)).includes(decodeURIComponent(anchor))
}

describe('the documents', () => {
  for (const path of ['docs/error-codes.md', 'docs/error-codes.zh-CN.md']) {
    it(`have one heading for each error code in ${path}, with its status`, () => {
      const text = readText(path)
      const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
      expect(headings).to.deep.equal([...ERROR_CODES])
      for (const code of ERROR_CODES) {
        const { status, retryAfterSeconds } = new WeappError(code, '')
        const [, given, wait] =
          /\*\*.+?\*\*[:：] ?(\d+)(?:.+`Retry-After: (\d+)`)?$/m.exec(section(text, `## ${code}`)) ?? []
        expect([code, Number(given), wait && Number(wait)]).to.deep.equal([code, status, retryAfterSeconds])
      }
    })
  }

  for (const path of documents) {
    it(`link only to files and headings that exist, in ${path}`, () => {
      expect(relativeLinks(readText(path)).filter((link) => !leadsSomewhere(path, link))).to.deep.equal([])
    })
  }

  for (const [path, language] of Object.entries(DOCUMENTS)) {
    it(`quote the last whole run of the bench in ${path}`, () => {
      const results = JSON.parse(readText('bench/results.json')) as Results
      const text = readText(path)
      expect(text).to.match(/^<!-- bench: \w+ -->$/m)
      expect(quoting(text, results, language)).to.equal(text)
    })
  }

  it('name the folders of the house in CONTRIBUTING.md', () => {
    const [tree = ''] = codeBlocks(readText('CONTRIBUTING.md')).map(({ code }) => code)
    const named = [...tree.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name)
    const present = readdirSync(join(root, 'lib'), { withFileTypes: true })
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
      .filter((name) => name !== 'index.ts' && !/\.c[jt]s$/.test(name))
    expect(present.filter((name) => !named.includes(name))).to.deep.equal([])
  })
})

for (const path of references) {
  describe(path, () => {
    const text = readText(path)
    const isEnglish = path === 'docs/reference.md'
    const lib = [...readSources('lib'), ...readSources('client')]

    for (const [heading, interfaceName] of Object.entries(optionTables)) {
      it(`has a row for every option under "${heading}", and no other`, () => {
        const rows = rowNames(section(text, heading))
        expect(rows.sort()).to.deep.equal(documentedNames(interfaceName, lib).sort())
      })
    }

    it('has a row for every route', () => {
      const routes = nativeProtocol().routes.map((route) => `${route.method.toUpperCase()} ${route.path}`)
      expect(rowNames(section(text, isEnglish ? '## Routes' : '## 路由'))).to.deep.equal(routes)
    })

    it('has a row for every method of Sessions', () => {
      const rows = rowNames(section(text, isEnglish ? '## Methods' : '## 方法'))
      const names = rows.map((name) => name.replace(/\(.*$/, ''))
      expect(names.sort()).to.deep.equal(optionNames('Sessions', lib).sort())
    })

    it('has a row for every environment variable', () => {
      const source = lib.find((file) => file.path === 'lib/http/default-sessions.ts')?.source ?? ''
      const variables = [...source.matchAll(/\b((?:WEAPP|REDIS)_[A-Z_]+)\b/g)].map(([, name]) => name)
      const heading = isEnglish ? '## Configure it by environment' : '## 用环境变量配置'
      expect(rowNames(section(text, heading)).sort()).to.deep.equal([...new Set(variables)].sort())
    })

    it('links to the heading of every error code, under its status', () => {
      for (const code of ERROR_CODES) {
        const row = text.split('\n').find((line) => line.startsWith(`| ${new WeappError(code, '').status} |`))
        const file = isEnglish ? 'error-codes.md' : 'error-codes.zh-CN.md'
        expect(row).to.include(`[\`${code}\`](${file}#${code.toLowerCase()})`)
      }
    })
  })
}

for (const path of readmes) {
  describe(path, () => {
    const text = readText(path)

    it('is short enough to be read', () => {
      expect(text.trimEnd().split('\n')).to.have.lengthOf.below(180)
    })

    it('names commands that exist, and tests as .ci/run does', () => {
      const commands = codeBlocks(text)
        .filter(({ language }) => language === 'sh')
        .flatMap(({ code }) => code.trim().split(/ && |\n/))
      const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> }
      const ci = readText('.ci/run').split('\n')
      expect(ci).to.include.members(['npm ci', 'npm test', 'npm run test:browser'])
      expect(commands).to.include.members(['npm ci', 'npm start', 'npm test', 'npx weapp-session sandbox'])
      for (const script of ['start', 'test', 'test:browser']) expect(scripts).to.have.property(script)
    })

    it('links to every document in its language', () => {
      const own = path === 'README.md' ? /^[^.]+\.md$/ : /\.zh-CN\.md$/
      const files = readdirSync(join(root, 'docs')).filter((name) => own.test(name))
      expect(files).to.have.lengthOf.above(7)
      expect(relativeLinks(text)).to.include.members(files.map((name) => `docs/${name}`))
    })
  })
}

for (const path of documents.filter((name) => /[-.]zh-CN\.md$/.test(name))) {
  describe(`${path} and its English original`, () => {
    const [chinese, english] = [path, path.replace(/[-.]zh-CN/, '')].map(readText) as [string, string]

    it('have the same headings in the same order', () => {
      expect(headingLevels(chinese)).to.deep.equal(headingLevels(english))
    })

    it('have the same code, but for comments and texts for the user', () => {
      expect(codeInNoLanguage(chinese)).to.deep.equal(codeInNoLanguage(english))
    })
  })
}

describe('docs/mini-program', () => {
  const [english, chinese] = ['docs/mini-program.md', 'docs/mini-program.zh-CN.md'].map(readText) as [
    string,
    string,
  ]

  it('has a row for every method of the client, and for every code of its own', () => {
    const client = readSources('client')
    const methods = [...new Set(optionNames('Client', client))]
    const codes =
      client
        .find(({ path }) => path === 'client/client-error.ts')
        ?.source.match(/(?<=^ {2}\| ')ERR_[A-Z_]+/gm) ?? []
    expect(codes).to.have.lengthOf(5)
    for (const [text, heading, errors] of [
      [english, '## Methods', '## Errors'],
      [chinese, '## 方法', '## 错误'],
    ] as const) {
      const rows = rowNames(section(text, heading)).map((name) => name.replace('()', ''))
      expect(rows.sort()).to.deep.equal(methods.sort())
      for (const code of codes) expect(section(text, errors)).to.contain(`| \`${code}\` |`)
    }
  })
})

describe('docs/storage', () => {
  const [english, chinese] = ['docs/storage.md', 'docs/storage.zh-CN.md'].map(readText) as [string, string]
  const scripts = readSources('lib/stores').filter(({ path }) => path.endsWith('-scripts.ts'))

  it('has a row for every script', () => {
    const names = scripts.flatMap(({ source }) =>
      [...source.matchAll(/^export const (\w+): (?:Redis|User)Script/gm)].map(([, name]) => name),
    )
    expect(names).to.have.lengthOf.above(10)
    for (const table of [section(english, '## Scripts'), section(chinese, '## 脚本')]) {
      const rows = [...table.matchAll(/^\| (`[A-Z_]+`.*?) \|/gm)].flatMap(([, cell = '']) => [
        ...cell.matchAll(/`(\w+)`/g),
      ])
      expect(rows.map(([, name]) => name).sort()).to.deep.equal(names.sort())
    }
  })

  it('grants every command that a script runs, and how scripts are run', () => {
    const commands = scripts.flatMap(({ source }) =>
      [...source.matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, command = '']) => `+${command.toLowerCase()}`),
    )
    const lines = codeBlocks(english).flatMap(({ code }) => code.match(/^ACL SETUSER .*$/gm) ?? [])
    expect(lines).to.have.lengthOf(2)
    for (const line of lines) {
      expect(line.split(' ')).to.include.members([...commands, '+time', '+evalsha', '+eval', '+scan'])
    }
  })

  it('explains every line of the log that begins with words of its own', () => {
    const beginnings = readSources('lib').flatMap(({ source }) =>
      [...source.matchAll(/logger\.(?:warn|error)\(\s*[`']([^`'$]{12,})/gi)].map(([, words = '']) =>
        words.trimEnd(),
      ),
    )
    expect(beginnings).to.have.lengthOf.above(10)
    for (const text of [section(english, '## What the log says'), section(chinese, '## 日志说了什么')]) {
      expect(beginnings.filter((words) => !text.includes(words))).to.deep.equal([])
    }
  })

  it('shows a user as it lies in Redis', () => {
    const { user } = (JSON.parse(readText('spec/vectors/redis-layout.json')) as { keys: { user: Lines } })
      .keys
    const [, example] = codeBlocks(english).filter(({ language }) => language === 'text')
    const lines = (example?.code.trim().split('\n') ?? []).map((line) =>
      line.replace(/(?<=^\S+(?: (?:\d+|-))*) /g, ''),
    )
    expect(lines).to.deep.equal(user.lines)
  })
})

interface Lines {
  readonly lines: readonly string[]
}

describe('the checks of the documents', () => {
  it('find the options of an interface, inherited ones too', () => {
    const source = 'interface A { a?: string; b(): void }\nexport interface B extends A { c: 1 }'
    expect(optionNames('B', [parseSource('lib/a.ts', source)])).to.deep.equal(['a', 'b', 'c'])
  })

  it('read the first table of a section, the links and the code', () => {
    const text =
      '# T\n\n## A\n\n| `a` | 1 |\n| `b.c` | 2 |\n\n| `d` | 3 |\n\n## B, of `c`\n\n[x](y.md#z) [w](https://a)\n'
    expect(rowNames(section(text, '## A'))).to.deep.equal(['a', 'b.c'])
    expect(relativeLinks(text)).to.deep.equal(['y.md#z'])
    expect(headingAnchors(text)).to.deep.equal(['t', 'a', 'b-of-c'])
    expect(() => section(text, '## C')).to.throw('no heading')
    expect(codeBlocks('```ts\na\n```\n')).to.deep.equal([{ language: 'ts', code: 'a\n' }])
    const commented = codeInNoLanguage("```ts\n// b\nc('http://d', '名字') // e\n```\n")
    expect(commented).to.deep.equal([{ language: 'ts', code: "c('http://d', '')\n" }])
  })
})
