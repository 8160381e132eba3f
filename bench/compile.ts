import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { root } from './root.js'

const compiled = join(root, 'bench', 'compiled')
const folders = ['bench', 'lib', 'sandbox']

/**
 * Compiles what is measured, file by file, so that a profile names them. Run by tsx it would be slower than
 * what is published: tsx gives each function its name again whenever one is made.
 */
export function compile(): void {
  rmSync(compiled, { recursive: true, force: true })
  buildSync({
    entryPoints: folders.flatMap((folder) => sourcesIn(folder, '.ts')),
    absWorkingDir: root,
    outbase: root,
    outdir: compiled,
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  })
  for (const file of sourcesIn('lib', '.cjs')) cpSync(join(root, file), join(compiled, file))
}

/** The path of a compiled file of the bench. */
export function compiledPath(name: string): string {
  return join(compiled, 'bench', `${name}.js`)
}

function sourcesIn(folder: string, ending: string): string[] {
  const paths = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  return paths
    .filter((path) => path.endsWith(ending) && !/(?:^|[\\/])(?:node_modules|compiled)[\\/]/.test(path))
    .filter((path) => !path.endsWith('.d.ts'))
    .map((path) => join(folder, path))
}
