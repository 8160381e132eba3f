import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { build, type Plugin, transformSync } from 'esbuild'
import { buildPage } from '../example-app/showcase/page-files.js'

const minified = { bundle: true, format: 'esm', minify: true, charset: 'utf8', logLevel: 'warning' } as const

/** The imports of the package, whose files are next to the command. */
const OWN_FILES = { 'weapp-session': './index.js', 'weapp-session/sandbox': './sandbox/index.js' }

/** What else the command may import: its users have Express installed, and nothing more. */
const INSTALLED = /^(?:node:.+|express)$/

/** Bundles the command into one file, and writes the page next to it. */
export async function buildCommand(target: string): Promise<void> {
  const { metafile } = await build({
    ...minified,
    entryPoints: ['example-app/command.ts'],
    outfile: join(target, 'command.mjs'),
    platform: 'node',
    target: 'node20',
    packages: 'external',
    plugins: [resolveTo(OWN_FILES)],
    metafile: true,
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  const missing = imports.find(
    // The dynamic import is esbuild, which builds the page in the example app, and never in the command.
    ({ path, kind }) =>
      kind !== 'dynamic-import' && !INSTALLED.test(path) && !Object.values(OWN_FILES).includes(path),
  )
  if (missing) throw new Error(`npx weapp-session would need ${missing.path}`)
  await writePage(join(target, 'page'))
}

async function writePage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (const [path, { body }] of await buildPage()) {
    const name = path === '/' ? 'index.html' : path.slice(1)
    const content =
      name === 'page.js' ? await bundlePageScript() : name.endsWith('.css') ? minifyStyle(body) : body
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content))
  }
}

/** Bundles the script of the page without the client, which the package already has. */
async function bundlePageScript(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    ...minified,
    entryPoints: ['example-app/page/main.ts'],
    target: 'es2022',
    plugins: [resolveTo({ 'weapp-session/client': './client.js' })],
    write: false,
  })
  return outputFiles[0]?.contents ?? new Uint8Array()
}

function minifyStyle(body: string | Uint8Array): string {
  return transformSync(Buffer.from(body), { loader: 'css', minify: true, charset: 'utf8' }).code
}

/** Turns imports of the package into imports of files, which are not bundled. */
function resolveTo(files: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'resolve-to-files',
    setup({ onResolve }) {
      onResolve({ filter: /^weapp-session/ }, ({ path }) => ({ path: files[path] ?? path, external: true }))
    },
  }
}
