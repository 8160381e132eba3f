import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync, transformSync } from 'esbuild'
import { parseSync } from 'oxc-parser'

type Target = 'node20' | 'es2018'

/** Makes what `folder/index.ts` exports one CommonJS file, as short as it gets. */
export function buildShort(folder: string, into: string, target: Target = 'node20'): void {
  writeIndex(into, minified(`(() => {\n${commonJs(folder, target)}})()`, target))
}

/**
 * Makes what `folder/index.ts` exports one CommonJS file whose stack traces are readable. Functions and
 * classes keep their names, because esbuild leaves those at the top of a script alone. Each statement has a
 * line of its own, because Node prints the whole line that an uncaught error comes from.
 */
export function buildTraceable(folder: string, into: string): void {
  const code = minified(commonJs(folder, 'node20'), 'node20')
  const statements = parseSync('index.cjs', code).program.body
  writeIndex(into, statements.map(({ start, end }) => `${code.slice(start, end)}\n`).join(''))
}

/** CommonJS without esbuild's own glue, which makes `module.exports` an object of getters. */
function commonJs(folder: string, target: Target): string {
  const { outputFiles } = buildSync({
    entryPoints: [`${folder}/index.ts`],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target,
    charset: 'utf8',
    packages: 'external',
    external: ['*.cjs'],
    write: false,
    logLevel: 'warning',
  })
  const code = (outputFiles[0]?.text ?? '')
    .replace(/^import (?:\* as )?(\w+|\{[^}]*\}) from (".+");$/gm, (_import, names: string, from: string) => {
      return `const ${names.replaceAll(' as ', ': ')} = require(${from});`
    })
    .replace(/^export (\{[^}]*\});$/m, (_export, names: string) => {
      return `module.exports = ${names.replace(/(\w+) as (\w+)/g, '$2: $1')};`
    })
  return `'use strict';\n${code}`
}

function minified(code: string, target: Target): string {
  return transformSync(code, { target, charset: 'utf8', minify: true, logLevel: 'warning' }).code
}

function writeIndex(into: string, code: string): void {
  mkdirSync(into, { recursive: true })
  writeFileSync(join(into, 'index.js'), code)
}
