import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync, transformSync } from 'esbuild'
import { parseSync } from 'oxc-parser'

const compiled = { target: 'node20', charset: 'utf8', logLevel: 'warning' } as const

/** Makes what `folder/index.ts` exports one CommonJS file, as short as it gets. */
export function buildShort(folder: string, target: string): void {
  writeIndex(target, bundle(folder, { minify: true }))
}

/**
 * Makes what `folder/index.ts` exports one CommonJS file that stack traces can be read in. Functions and classes keep
 * their names, because esbuild leaves those at the top of a script alone. Each statement has a line of its own, because
 * Node prints the whole line that an uncaught error comes from.
 */
export function buildTraceable(folder: string, target: string): void {
  // The last statement does nothing, and so would get lost, but tells Node the names for `import`.
  const [source = '', names] = bundle(folder, { minifySyntax: true }).split(/^(?=0 && \(module\.exports = )/m)
  if (!names) throw new Error(`the bundle of ${folder} does not end with the names of its exports`)
  const { code } = transformSync(source, { ...compiled, minify: true })
  const lines = parseSync('index.cjs', code).program.body.map(({ start, end }) => code.slice(start, end))
  writeIndex(target, `${lines.join('\n')}\n${names}`)
}

function bundle(folder: string, options: { minify: true } | { minifySyntax: true }): string {
  const { outputFiles } = buildSync({
    ...compiled,
    ...options,
    entryPoints: [`${folder}/index.ts`],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    external: ['*.cjs'],
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

function writeIndex(target: string, code: string): void {
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, 'index.js'), code)
}
