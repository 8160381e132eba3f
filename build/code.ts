import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, buildSync, transformSync } from 'esbuild'
import { parseSync } from 'oxc-parser'

type Target = 'node20' | 'es2018'

/** Makes what `folder/index.ts` exports one CommonJS file, as short as it gets. */
export function buildShort(folder: string, into: string, target: Target = 'node20'): void {
  writeCode(into, 'index', minified(`(() => {\n${commonJs(folder, target)}})()`, target))
}

/**
 * Makes what `folder/index.ts` exports one CommonJS file, `name`, whose stack traces are readable. Functions
 * and classes keep their names, because esbuild leaves those at the top of a script alone. Each statement has
 * a line of its own, because Node prints the whole line that an uncaught error comes from.
 *
 * Beside it `index.js` has the exports alone: for `import`, Node reads a CommonJS file by a lexer of its own
 * first, to find its exports, and this would take longer than all the rest of the import.
 */
export function buildTraceable(folder: string, into: string, name: string): void {
  const code = minified(commonJs(folder, 'node20'), 'node20')
  const statements = parseSync('index.cjs', code).program.body
  writeCode(into, name, statements.map(({ start, end }) => `${code.slice(start, end)}\n`).join(''))
  const names = exportedNames(folder).join(', ')
  writeCode(into, 'index', `const { ${names} } = require('./${name}.js')\nmodule.exports = { ${names} }\n`)
}

/** CommonJS without esbuild's own glue, which makes `module.exports` an object of getters. */
function commonJs(folder: string, target: Target): string {
  const { outputFiles } = buildSync(bundled(folder, target))
  const code = (outputFiles[0]?.text ?? '')
    .replace(/^import (?:\* as )?(\w+|\{[^}]*\}) from (".+");$/gm, (_import, names: string, from: string) => {
      return `const ${names.replaceAll(' as ', ': ')} = require(${from});`
    })
    .replace(/^export (\{[^}]*\});$/m, (_export, names: string) => {
      return `module.exports = ${names.replace(/(\w+) as (\w+)/g, '$2: $1')};`
    })
  return `'use strict';\n${code}`
}

function bundled(folder: string, target: Target) {
  return {
    entryPoints: [`${folder}/index.ts`],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target,
    minifySyntax: true,
    charset: 'utf8',
    packages: 'external',
    external: ['*.cjs'],
    write: false,
    logLevel: 'warning',
  } as const satisfies BuildOptions
}

function minified(code: string, target: Target): string {
  return transformSync(code, { target, charset: 'utf8', minify: true, logLevel: 'warning' }).code
}

/** The names of the values that `folder/index.ts` exports. */
function exportedNames(folder: string): string[] {
  const { metafile } = buildSync({ ...bundled(folder, 'node20'), metafile: true })
  return Object.values(metafile.outputs).flatMap((output) => output.exports)
}

function writeCode(into: string, name: string, code: string): void {
  mkdirSync(into, { recursive: true })
  writeFileSync(join(into, `${name}.js`), code)
}
