import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync, transformSync } from 'esbuild'

const shared = { target: 'node20', charset: 'utf8', minifySyntax: true, logLevel: 'warning' } as const

/**
 * Bundles what `folder/index.ts` exports into one CommonJS file, `index.js` of `target`. With `keepsNames` functions and
 * classes keep their names, which appear in stack traces.
 */
export function buildCode(folder: string, target: string, keepsNames: boolean): void {
  const { outputFiles } = buildSync({
    ...shared,
    entryPoints: [`${folder}/index.ts`],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    external: ['*.cjs'],
    minify: !keepsNames,
    write: false,
  })
  const bundle = outputFiles[0]?.text ?? ''
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, 'index.js'), keepsNames ? shortened(bundle) : bundle)
}

/**
 * To esbuild this is a script, whose top-level names others may use: only the names inside are shortened. The line by which
 * Node finds the names of the exports does nothing, so esbuild would drop it.
 */
function shortened(bundle: string): string {
  const [code = '', exportNames = ''] = bundle.split(/^0 && /m)
  const options = { ...shared, minifyWhitespace: true, minifyIdentifiers: true }
  return `${transformSync(code, options).code}0&&${exportNames.replaceAll(/\s/g, '')}\n`
}
