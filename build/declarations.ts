import { readFileSync, writeFileSync } from 'node:fs'
import { posix } from 'node:path'
import { parseSync, type Statement } from 'oxc-parser'

/** One top-level statement of a declaration file, with its doc comment. */
interface Declaration {
  readonly text: string
  readonly names: readonly string[]
  /** Every name that it may refer to. */
  readonly uses: ReadonlySet<string>
}

/** Where a name comes from, and what it is called there. */
interface Origin {
  readonly from: string
  readonly name: string
}

interface DeclarationFile {
  readonly declarations: readonly Declaration[]
  readonly imports: ReadonlyMap<string, Origin>
  readonly exports: readonly string[]
  /** The files of which it exports everything. */
  readonly stars: readonly string[]
  /** All files of ours that it names. */
  readonly neighbours: readonly string[]
}

/**
 * Bundles the declarations that `entry` exports, and all that these refer to, into one file. Leaves out what
 * is private to the package, although `tsc` declares it.
 */
export function bundleDeclarations(entry: string, target: string): void {
  const files = new Map<string, DeclarationFile>()
  const kept = new Map<Declaration, string>()
  const packages = new Map<string, Set<string>>()

  function fileAt(path: string): DeclarationFile {
    const file = files.get(path) ?? readDeclarations(path)
    files.set(path, file)
    return file
  }

  function exportsOf(path: string): string[] {
    const { exports, stars } = fileAt(path)
    return [...exports, ...stars.flatMap(exportsOf)]
  }

  function keepName(name: string, path: string): void {
    const { declarations, imports, stars } = fileAt(path)
    const origin = imports.get(name)
    if (origin?.name === '*') throw new Error(`${path} imports all of ${origin.from}`)
    if (origin?.from.endsWith('.d.ts')) {
      if (origin.name !== name) throw new Error(`${path} renames ${origin.name}`)
      keepName(name, origin.from)
    } else if (origin) {
      const names = packages.get(origin.from) ?? new Set()
      packages.set(origin.from, names.add(origin.name === name ? name : `${origin.name} as ${name}`))
    }
    for (const declaration of declarations) if (declaration.names.includes(name)) keep(declaration, path)
    for (const star of stars) if (exportsOf(star).includes(name)) keepName(name, star)
  }

  function keep(declaration: Declaration, path: string): void {
    if (kept.has(declaration)) return
    for (const [other, from] of kept) {
      const twin = declaration.names.find(
        // Several files may add to the global scope.
        (name) => name !== 'global' && from !== path && other.names.includes(name),
      )
      if (twin) throw new Error(`${path} and ${from} both declare ${twin}`)
    }
    kept.set(declaration, path)
    for (const name of declaration.uses) keepName(name, path)
  }

  const exported = exportsOf(entry)
  for (const name of exported) keepName(name, entry)
  // What is added to the global scope has no name that anybody refers to.
  for (const path of withAllNeighbours(entry, fileAt)) {
    for (const declaration of fileAt(path).declarations) {
      if (declaration.names.includes('global')) keep(declaration, path)
    }
  }

  const imports = [...packages].map(
    ([from, names]) => `import type { ${[...names].join(', ')} } from '${from}';`,
  )
  const texts = [...kept.keys()].map(({ text }) =>
    text.replace(/^(?: {4})+/gm, (indent) => '\t'.repeat(indent.length / 4)),
  )
  writeFileSync(target, [...imports, ...texts, `export { ${exported.join(', ')} };\n`].join('\n'))
}

function readDeclarations(path: string): DeclarationFile {
  const source = readFileSync(path, 'utf8')
  const { program } = parseSync(path, source)
  const imports = new Map<string, Origin>()
  const exports: string[] = []
  const stars: string[] = []
  const neighbours: string[] = []
  const declarations: Declaration[] = []
  const originOf = (specifier: string) =>
    specifier.startsWith('.')
      ? posix.join(posix.dirname(path), specifier.replace(/\.js$/, '.d.ts'))
      : specifier
  let end = 0
  for (const statement of program.body) {
    const leading = source.slice(end, statement.start)
    end = statement.end
    const from = 'source' in statement && statement.source ? originOf(statement.source.value) : ''
    if (from.endsWith('.d.ts')) neighbours.push(from)
    if (statement.type === 'ImportDeclaration') {
      for (const specifier of statement.specifiers) {
        const name = specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : '*'
        imports.set(specifier.local.name, { from, name })
      }
    } else if (statement.type === 'ExportAllDeclaration') {
      stars.push(from)
    } else if (statement.type === 'ExportNamedDeclaration' && !statement.declaration) {
      for (const { exported, local } of statement.specifiers) {
        exports.push(nameOf(exported))
        if (from) imports.set(nameOf(exported), { from, name: nameOf(local) })
      }
    } else {
      const declaration = declarationOf(statement, leading, source)
      declarations.push(declaration)
      if (statement.type === 'ExportNamedDeclaration') exports.push(...declaration.names)
    }
  }
  return { declarations, imports, exports, stars, neighbours }
}

function withAllNeighbours(entry: string, fileAt: (path: string) => DeclarationFile): Set<string> {
  const found = new Set([entry])
  // A set goes on to what is added to it meanwhile.
  for (const path of found) for (const neighbour of fileAt(path).neighbours) found.add(neighbour)
  return found
}

function declarationOf(statement: Statement, leading: string, source: string): Declaration {
  const inner = statement.type === 'ExportNamedDeclaration' ? (statement.declaration ?? statement) : statement
  const code = source.slice(inner.start, statement.end)
  const names =
    inner.type === 'VariableDeclaration'
      ? inner.declarations.map(({ id }) => nameOf(id))
      : 'id' in inner && inner.id
        ? [nameOf(inner.id)]
        : []
  const isValue = /^(?:abstract|class|const|enum|function|let|namespace)\b/.test(code)
  return {
    text: `${leading.trim()}\n${isValue ? 'declare ' : ''}${code}`.trim(),
    names,
    uses: new Set(namesIn(statement)),
  }
}

/** An identifier, or a name in quotes. */
function nameOf(node: object): string {
  const { name, value } = node as { name?: string; value?: unknown }
  return name ?? String(value)
}

/** The names of variables, functions, classes and types in a node; no names of properties. */
function* namesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  const { type, name, computed } = value as { type?: unknown; name?: unknown; computed?: unknown }
  if (type === 'Identifier') yield String(name)
  for (const [field, inner] of Object.entries(value)) {
    const isProperty =
      (field === 'property' && type === 'MemberExpression') || (field === 'key' && type !== undefined)
    if (!isProperty || computed) yield* namesIn(inner)
  }
}
