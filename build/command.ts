import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { build, type Plugin, transformSync } from 'esbuild'
import { buildPage } from '../example-app/showcase/page-files.js'

const minified = { bundle: true, format: 'esm', minify: true, charset: 'utf8', logLevel: 'warning' } as const

/** What the command imports of the package, which lies beside it. */
const OWN = { 'weapp-session': './index.js', 'weapp-session/sandbox': './sandbox/index.js' }

/** What else it may import: whoever runs it has Express, and nothing more. */
const AT_HAND = /^(?:node:.+|express)$/

/**
 * Makes one file of the command, and puts the page, which the example app bundles when it starts, beside it.
 */
export async function buildCommand(target: string): Promise<void> {
  const { metafile } = await build({
    ...minified,
    entryPoints: ['example-app/command.ts'],
    outfile: join(target, 'command.mjs'),
    platform: 'node',
    target: 'node20',
    packages: 'external',
    plugins: [leadTo(OWN)],
    metafile: true,
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  const missing = imports.find(({ path }) => !AT_HAND.test(path) && !Object.values(OWN).includes(path))
  if (missing) throw new Error(`npx weapp-session would need ${missing.path}`)
  await writePage(join(target, 'page'))
}

async function writePage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (const [path, { body }] of await buildPage()) {
    const name = path === '/' ? 'index.html' : path.slice(1)
    const content =
      name === 'page.js' ? await pageScript() : name.endsWith('.css') ? minifiedStyle(body) : body
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content))
  }
}

/** The script of the page without the client of the mini-program, which the package has already. */
async function pageScript(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    ...minified,
    entryPoints: ['example-app/page/main.ts'],
    target: 'es2022',
    define: { HAS_SOURCES: 'false' },
    plugins: [leadTo({ 'weapp-session/client': './client.js' })],
    write: false,
  })
  return outputFiles[0]?.contents ?? new Uint8Array()
}

function minifiedStyle(body: string | Uint8Array): string {
  return transformSync(Buffer.from(body), { loader: 'css', minify: true, charset: 'utf8' }).code
}

/** Leaves imports of the package as imports of files. */
function leadTo(files: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'lead-to-files',
    setup({ onResolve }) {
      onResolve({ filter: /^weapp-session/ }, ({ path }) => ({ path: files[path] ?? path, external: true }))
    },
  }
}
