import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Comment, type Program, parseSync, type StaticExportEntry } from 'oxc-parser'

/** A parsed source file. `path` is relative to the root of the repository, with slashes. */
export interface SourceFile {
  readonly path: string
  readonly source: string
  readonly program: Program
  readonly comments: readonly Comment[]
  /** Every module it names: imports, re-exports, dynamic imports and import types. */
  readonly imports: readonly string[]
  readonly exports: readonly StaticExportEntry[]
}

interface AstNode {
  readonly type: string
  readonly [field: string]: unknown
}

export const root: string = fileURLToPath(new URL('../..', import.meta.url))

export function parseSource(path: string, source: string): SourceFile {
  const { program, comments, module, errors } = parseSync(path, source)
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)
  const exports = module.staticExports.flatMap(({ entries }) => entries)
  const imports = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...exports.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ...[...nodesIn(program)].flatMap(importedByExpression),
  ]
  return { path, source, program, comments, imports: [...new Set(imports)], exports }
}

/** All sources in a folder of the repository: TypeScript, and what is CommonJS by hand. */
export function readSources(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.d)\.(?:ts|cjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('node_modules'))
    .map((path) => parseSource(relative(root, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')))
}

export function* nodesIn(value: unknown): Generator<AstNode> {
  if (typeof value !== 'object' || value === null) return
  if ('type' in value && typeof value.type === 'string') yield value as AstNode
  for (const inner of Object.values(value)) yield* nodesIn(inner)
}

/** The file that a relative import of `from` leads to; undefined for a package. */
export function targetOf(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
}

function importedByExpression(node: AstNode): string[] {
  if (node.type !== 'ImportExpression' && node.type !== 'TSImportType') return []
  const source = node.source as { value?: unknown }
  return [typeof source.value === 'string' ? source.value : 'computed']
}
