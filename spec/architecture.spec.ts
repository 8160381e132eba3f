import { posix } from 'node:path'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { undocumentedSymbols } from './package/public-symbols.js'
import { nodesIn, parseSource, readSources, type SourceFile, targetOf } from './package/source-tree.js'

/** What a room may import besides itself: other rooms, and packages. */
interface Leave {
  readonly rooms: readonly string[]
  readonly packages: readonly string[]
}

const core = ['kernel', 'wechat', 'sessions']
const rules: Readonly<Record<string, Leave>> = {
  kernel: { rooms: [], packages: ['node:crypto'] },
  wechat: { rooms: ['kernel'], packages: ['node:'] },
  sessions: { rooms: ['kernel'], packages: ['node:'] },
  stores: { rooms: ['kernel', 'sessions'], packages: ['node:', 'lru-cache'] },
  flows: { rooms: core, packages: ['node:'] },
  protocols: { rooms: [...core, 'flows'], packages: ['node:'] },
  'service-tokens': { rooms: ['kernel', 'sessions', 'flows'], packages: ['node:', 'jsonwebtoken'] },
  http: {
    rooms: [...core, 'stores', 'flows', 'protocols', 'service-tokens'],
    packages: ['node:', 'express', 'express-rate-limit'],
  },
  index: { rooms: [...core, 'stores', 'flows', 'protocols', 'service-tokens', 'http'], packages: [] },
  sandbox: { rooms: [], packages: ['node:'] },
  // Of the package it imports types only.
  'store-contract': { rooms: [], packages: ['node:', 'weapp-session'] },
  client: { rooms: [], packages: [] },
  'example-app/miniprogram': { rooms: [], packages: ['weapp-session/client'] },
  'example-app/page': { rooms: [], packages: ['weapp-session/client'] },
  'example-app': {
    rooms: [],
    packages: [
      'node:',
      'weapp-session',
      'weapp-session/sandbox',
      'esbuild',
      'express',
      'helmet',
      'ioredis',
      'multer',
      'node-sqlite3-wasm',
    ],
  },
}
const barrels = ['lib/index.ts', 'sandbox/index.ts', 'store-contract/index.ts', 'client/index.ts']
const mostLines = 300

function roomOf(path: string): string {
  const [top = '', second = '', ...rest] = path.split('/')
  if (top === 'example-app' && rest.length > 0 && second !== 'showcase') return `${top}/${second}`
  if (top !== 'lib') return top
  if (rest.length > 0) return second
  return second === 'index.ts' ? 'index' : 'kernel'
}

function forbiddenImports(file: SourceFile): string[] {
  const room = roomOf(file.path)
  const leave = rules[room]
  if (!leave) return [`${file.path} lies in a room without a rule`]
  const isAllowed = (specifier: string) => {
    const target = targetOf(file.path, specifier)
    if (target !== undefined) return [room, ...leave.rooms].includes(roomOf(target))
    return leave.packages.some((name) =>
      name.endsWith(':') ? specifier.startsWith(name) : specifier === name,
    )
  }
  return file.imports
    .filter((specifier) => !isAllowed(specifier))
    .map((name) => `${file.path} imports ${name}`)
}

/** The first cycle found, as a chain of paths; empty when there is none. */
function importCycle(files: readonly SourceFile[]): string[] {
  const importsOf = new Map(
    files.map(({ path, imports }) => [path, imports.flatMap((name) => targetOf(path, name) ?? [])]),
  )
  const finished = new Set<string>()
  function walk(path: string, chain: readonly string[]): string[] {
    if (chain.includes(path)) return [...chain.slice(chain.indexOf(path)), path]
    if (finished.has(path)) return []
    for (const next of importsOf.get(path) ?? []) {
      const cycle = walk(next, [...chain, path])
      if (cycle.length > 0) return cycle
    }
    finished.add(path)
    return []
  }
  return files.map(({ path }) => walk(path, [])).find((cycle) => cycle.length > 0) ?? []
}

function badNames(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    const name = posix.basename(path, '.ts')
    return (
      /^(utils?|helpers?|common|types?)$/i.test(name) ||
      (/^(?:lib|sandbox|store-contract|client)\//.test(path) && name === 'index' && !barrels.includes(path))
    )
  })
}

function badWords({ path, program }: SourceFile): string[] {
  return [...nodesIn(program)].flatMap(({ type, name }) => {
    if (type === 'TSAnyKeyword') return [`${path} has the type any`]
    return type === 'Identifier' && name === 'console' ? [`${path} uses console`] : []
  })
}

function isTooLong({ source }: SourceFile): boolean {
  return source.trimEnd().split('\n').length > mostLines
}

describe('the architecture', () => {
  const lib = readSources('lib')
  const shipped = [...lib, ...['sandbox', 'store-contract', 'client'].flatMap(readSources)]
  const all = [...shipped, ...readSources('example-app')]

  it('lets imports point down only, and packages come in where they belong', () => {
    expect(lib.length).to.be.above(40)
    expect(all.flatMap(forbiddenImports)).to.deep.equal([])
  })

  it('has the one breaker load cockatiel', () => {
    const loading = all.filter(({ imports }) => imports.some((name) => name.endsWith('/cockatiel.cjs')))
    expect(loading.map(({ path }) => path)).to.deep.equal(['lib/breaker.ts'])
  })

  it('has a room for every rule', () => {
    expect(Object.keys(rules).sort()).to.deep.equal([...new Set(all.map(({ path }) => roomOf(path)))].sort())
  })

  it('imports files that exist', () => {
    const paths = new Set(all.map(({ path }) => path))
    const targets = all.flatMap(({ path, imports }) => imports.flatMap((name) => targetOf(path, name) ?? []))
    expect(targets.filter((target) => !paths.has(target))).to.deep.equal([])
  })

  it('has no import cycle, type imports included', () => {
    expect(importCycle(all)).to.deep.equal([])
  })

  it('names files for what they do, and keeps barrels at the entries', () => {
    const others = [...readSources('spec'), ...readSources('build')]
    expect(badNames([...all, ...others].map(({ path }) => path))).to.deep.equal([])
  })

  it(`keeps files of the package within ${mostLines} lines`, () => {
    expect(shipped.filter(isTooLong).map(({ path }) => path)).to.deep.equal([])
  })

  it('gives the store contract types of the package only', () => {
    const values = shipped
      .filter(({ path }) => path.startsWith('store-contract/'))
      .filter(({ source }) => /^import (?!type ).* from 'weapp-session'$/m.test(source))
    expect(values.map(({ path }) => path)).to.deep.equal([])
  })

  it('has no any and no console in the package', () => {
    expect(shipped.flatMap(badWords)).to.deep.equal([])
  })

  for (const barrel of barrels) {
    it(`documents everything that ${barrel} exports`, () => {
      const entry = shipped.find(({ path }) => path === barrel)
      expect(entry && undocumentedSymbols(entry, shipped)).to.deep.equal([])
    })
  }
})

describe('the checks of the architecture', () => {
  const importer = (path: string, name: string) => parseSource(path, `import { a } from '${name}'\n`)

  it('see static imports, type imports, re-exports, dynamic imports and import types', () => {
    const source = `
      import a from './a.js'
      import type { B } from './b.js'
      export * from './c.js'
      export { type D } from './d.js'
      export type E = import('./e.js').E
      export const f = () => import('./f.js')
      import './g.js'`
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `./${name}.js`)
    expect([...parseSource('lib/x.ts', source).imports].sort()).to.deep.equal(names)
  })

  for (const [path, name] of [
    ['lib/clock.ts', './http/wire.js'],
    ['lib/clock.ts', 'express'],
    ['lib/clock.ts', 'node:fs'],
    ['lib/clock.ts', 'cockatiel'],
    ['lib/wechat/a.ts', '../sessions/token.js'],
    ['lib/sessions/a.ts', '../wechat/errcodes.js'],
    ['lib/stores/a.ts', '../wechat/errcodes.js'],
    ['lib/stores/a.ts', 'ioredis'],
    ['lib/flows/a.ts', 'lru-cache'],
    ['lib/flows/a.ts', '../stores/memory-store.js'],
    ['lib/protocols/a.ts', '../http/wire.js'],
    ['lib/protocols/a.ts', 'express'],
    ['lib/protocols/a.ts', '../service-tokens/claims.js'],
    ['lib/service-tokens/a.ts', 'express'],
    ['lib/service-tokens/a.ts', '../http/wire.js'],
    ['lib/http/a.ts', 'jsonwebtoken'],
    ['lib/http/a.ts', '../index.js'],
    ['lib/http/a.ts', 'express/lib/router'],
    ['lib/index.ts', '../sandbox/index.js'],
    ['sandbox/a.ts', '../lib/clock.js'],
    ['sandbox/a.ts', '../client/index.js'],
    ['sandbox/a.ts', 'express'],
    ['store-contract/a.ts', '../lib/sessions/store.js'],
    ['store-contract/a.ts', '../sandbox/index.js'],
    ['store-contract/a.ts', 'mocha'],
    ['store-contract/a.ts', 'fast-check'],
    ['client/a.ts', '../sandbox/index.js'],
    ['client/a.ts', '../lib/errors.js'],
    ['client/a.ts', 'node:crypto'],
    ['example-app/page/a.ts', '../showcase/trace.js'],
    ['example-app/page/a.ts', 'weapp-session'],
    ['example-app/miniprogram/a.ts', 'weapp-session'],
    ['example-app/a.ts', './page/main.js'],
    ['example-app/a.ts', '../client/index.js'],
    ['example-app/a.ts', '../sandbox/index.js'],
    ['example-app/a.ts', '../lib/index.js'],
    ['example-app/a.ts', 'weapp-session/dist/index.js'],
  ] as const) {
    it(`refuse ${name} in ${path}`, () => {
      expect(forbiddenImports(importer(path, name))).to.deep.equal([`${path} imports ${name}`])
    })
  }

  it('refuse a room without a rule', () => {
    expect(forbiddenImports(parseSource('lib/attic/a.ts', ''))).to.have.lengthOf(1)
  })

  it('allow what points down', () => {
    expect(forbiddenImports(importer('lib/http/a.ts', '../stores/memory-store.js'))).to.deep.equal([])
    expect(forbiddenImports(importer('lib/flows/a.ts', 'node:crypto'))).to.deep.equal([])
  })

  it('find a cycle of types', () => {
    const files = [
      parseSource('lib/a.ts', `import type { B } from './b.js'`),
      parseSource('lib/b.ts', `export type C = import('./c.js').C`),
      parseSource('lib/c.ts', `export { a } from './a.js'`),
    ]
    expect(importCycle(files)).to.deep.equal(['lib/a.ts', 'lib/b.ts', 'lib/c.ts', 'lib/a.ts'])
    expect(importCycle(files.slice(1))).to.deep.equal([])
  })

  it('find bad names, inner barrels, any, console and long files', () => {
    expect(
      badNames(['lib/utils.ts', 'lib/http/index.ts', 'lib/index.ts', 'sandbox/index.ts', 'spec/types.ts']),
    ).to.have.lengthOf(3)
    const file = parseSource('lib/a.ts', 'export const a = (b: any) => console.log(b)')
    expect(badWords(file)).to.deep.equal(['lib/a.ts has the type any', 'lib/a.ts uses console'])
    expect(isTooLong(parseSource('lib/a.ts', 'a()\n'.repeat(mostLines)))).to.equal(false)
    expect(isTooLong(parseSource('lib/a.ts', 'a()\n'.repeat(mostLines + 1)))).to.equal(true)
  })

  it('find an export without a doc comment, also behind re-exports', () => {
    const barrel = parseSource(
      'lib/index.ts',
      `export { a, type B, c as d } from './a.js'\nexport * from './b.js'`,
    )
    const inner = `/** A. */\nexport const a = 1\n/* B. */\nexport interface B {}\n// C.\nexport function c() {}\n`
    const files = [barrel, parseSource('lib/a.ts', inner), parseSource('lib/b.ts', 'export class E {}')]
    expect(undocumentedSymbols(barrel, files)).to.deep.equal(['lib/a.ts: B', 'lib/a.ts: c', 'lib/b.ts: E'])
  })
})
