import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync, transformSync } from 'esbuild'
import { type ImportDeclarationSpecifier, type ParseResult, parseSync, type Statement } from 'oxc-parser'
import { nameOf, namesIn } from './syntax.js'

/**
 * Each chunk is in the package twice, as CommonJS and as an ES module, and npm packs the two next to each
 * other. Within its window of 32 KiB, gzip compresses the second as a copy of the first.
 */
const MAX_CHUNK_BYTES = 28_000

const compiled = { target: 'node20', charset: 'utf8', minifySyntax: true, logLevel: 'warning' } as const

/** The statements of one file of the package. */
interface Chunk {
  readonly name: string
  readonly code: string
  readonly declares: ReadonlySet<string>
  readonly uses: ReadonlySet<string>
}

/** Maps local names to their names in another module. */
type Names = ReadonlyMap<string, string>

/** What a chunk imports, by module. Names may be `default`, and `*` for the whole module. */
type Imports = Map<string, Map<string, string>>

/**
 * Compiles `folder/index.ts` into a few files: CommonJS in `commonJs`, ES modules in `esModules`. The two
 * differ in their first and last lines only.
 */
export function buildCode(folder: string, commonJs: string, esModules: string): void {
  const { outputFiles } = buildSync({
    ...compiled,
    entryPoints: [`${folder}/index.ts`],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    external: ['*.cjs'],
    write: false,
  })
  const bundle = outputFiles[0]?.text ?? ''
  const parsed = parseSync('bundle.js', bundle)
  const chunks = split(folder, bundle, parsed)
  const index: Chunk = {
    name: 'index',
    code: '',
    declares: new Set(),
    uses: new Set(exportsOf(parsed).keys()),
  }

  const origins = importOrigins(parsed)
  const exports = new Map<string, Map<string, string>>()
  const imports = [...chunks, index].map(({ name, declares, uses }) => {
    const found: Imports = new Map()
    for (const local of uses) {
      const origin = declares.has(local) ? undefined : origins.get(local)
      if (!origin) continue
      found.set(origin.from, (found.get(origin.from) ?? new Map()).set(local, origin.name))
      exports.get(origin.from)?.set(local, local)
    }
    // Added after the loop, since in a bundle only later chunks import from this one.
    const from = `./${name}.js`
    exports.set(from, new Map())
    for (const declared of declares) origins.set(declared, { from, name: declared })
    return found
  })
  exports.set('./index.js', exportsOf(parsed))

  for (const target of [commonJs, esModules]) mkdirSync(target, { recursive: true })
  for (const [number, { name, code }] of [...chunks, index].entries()) {
    const from = [...(imports[number] ?? [])]
    const exported: Names = exports.get(`./${name}.js`) ?? new Map()
    const required = `'use strict';\n${from.map(requireLines).join('')}`
    writeFileSync(
      join(commonJs, `${name}.js`),
      `${required}${code}module.exports={${list(swapped(exported), ':')}};\n`,
    )
    writeFileSync(
      join(esModules, `${name}.js`),
      `${from.map(importLines).join('')}${code}export{${list(exported, ' as ')}};\n`,
    )
  }
}

/** Splits a bundle between its source files, each of which refers to earlier ones only. */
function split(folder: string, bundle: string, { program, comments }: ParseResult): Chunk[] {
  const starts = comments.filter(({ value }) => value.startsWith(` ${folder}/`)).map(({ start }) => start)
  const sources = starts.map((start, index) => {
    const end = starts[index + 1] ?? bundle.length
    return program.body.filter(
      (node) => node.start > start && node.end <= end && !/^(?:Im|Ex)port/.test(node.type),
    )
  })
  const pieces: Statement[][] = [[]]
  let bytes = 0
  for (const statements of sources) {
    const added = Buffer.byteLength(minify(bundle, statements))
    const fits = bytes + added <= MAX_CHUNK_BYTES
    if (!fits) pieces.push([])
    bytes = fits ? bytes + added : added
    pieces.at(-1)?.push(...statements)
  }
  return pieces.map((statements, index) => ({
    name: `${folder}-${index + 1}`,
    code: minify(bundle, statements),
    declares: new Set(statements.flatMap(declaredBy)),
    uses: new Set(namesIn(statements)),
  }))
}

/**
 * Minifies, with one statement per line. Without imports and exports, esbuild takes the code for a script and
 * keeps the names of functions and classes, which appear in stack traces.
 */
function minify(bundle: string, statements: readonly Statement[]): string {
  const source = statements.map(({ start, end }) => bundle.slice(start, end)).join('\n')
  const { code } = transformSync(source, { ...compiled, minifyIdentifiers: true, minifyWhitespace: true })
  return parseSync('chunk.js', code)
    .program.body.map(({ start, end }) => `${code.slice(start, end)}\n`)
    .join('')
}

function declaredBy(statement: Statement): string[] {
  if (statement.type === 'VariableDeclaration')
    return statement.declarations.flatMap(({ id }) => [...namesIn(id)])
  return 'id' in statement && statement.id ? [nameOf(statement.id)] : []
}

function importOrigins({ program }: ParseResult): Map<string, { from: string; name: string }> {
  const origins = new Map<string, { from: string; name: string }>()
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration') continue
    for (const specifier of statement.specifiers) {
      origins.set(specifier.local.name, { from: statement.source.value, name: importedName(specifier) })
    }
  }
  return origins
}

function importedName(specifier: ImportDeclarationSpecifier): string {
  if (specifier.type === 'ImportSpecifier') return nameOf(specifier.imported)
  return specifier.type === 'ImportDefaultSpecifier' ? 'default' : '*'
}

function exportsOf({ program }: ParseResult): Map<string, string> {
  const statements = program.body.filter((statement) => statement.type === 'ExportNamedDeclaration')
  const specifiers = statements.flatMap(({ specifiers }) => specifiers)
  return new Map(specifiers.map(({ exported, local }) => [nameOf(local), nameOf(exported)]))
}

function requireLines([from, names]: readonly [string, Names]): string {
  const { whole, single } = kindsOf(names)
  const lines = whole.map(([local]) => `const ${local}=require("${from}");\n`)
  if (single.length > 0) lines.push(`const {${list(swapped(single), ':')}}=require("${from}");\n`)
  return lines.join('')
}

function importLines([from, names]: readonly [string, Names]): string {
  const { whole, single } = kindsOf(names)
  const lines = whole.map(([local, name]) => `import ${name === '*' ? '*as ' : ''}${local} from"${from}";\n`)
  if (single.length > 0) lines.push(`import {${list(swapped(single), ' as ')}} from"${from}";\n`)
  return lines.join('')
}

/** Names for all of a module, of which each source may have its own, and names for something in it. */
function kindsOf(names: Names): Record<'whole' | 'single', [string, string][]> {
  const isWhole = ([, name]: [string, string]) => name === '*' || name === 'default'
  return { whole: [...names].filter(isWhole), single: [...names].filter((pair) => !isWhole(pair)) }
}

function swapped(names: Iterable<readonly [string, string]>): [string, string][] {
  return [...names].map(([one, other]) => [other, one])
}

function list(pairs: Iterable<readonly [string, string]>, separator: string): string {
  return [...pairs].map(([one, other]) => (one === other ? one : `${one}${separator}${other}`)).join()
}
