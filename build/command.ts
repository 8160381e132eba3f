import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { build, type Plugin, transformSync } from 'esbuild'
import { buildPage } from '../example-app/showcase/page-files.js'

/** What the command imports of the package, which lies beside it. */
const OWN: Readonly<Record<string, string>> = {
  'weapp-session': './index.js',
  'weapp-session/sandbox': './sandbox/index.js',
}

/** What else it may import: whoever runs it has Express, and nothing more. */
const AT_HAND = /^(?:node:.+|express)$/

/** Makes one file of the command, and puts the page, which the example app bundles when it starts, beside it. */
export async function buildCommand(target: string): Promise<void> {
  const { metafile } = await build({
    entryPoints: ['example-app/command.ts'],
    outfile: join(target, 'command.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    charset: 'utf8',
    packages: 'external',
    plugins: [besideIt],
    minify: true,
    metafile: true,
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  // esbuild is imported where a page is built, which the command never does.
  const missing = imports.find(
    ({ path, kind }) =>
      kind !== 'dynamic-import' && !AT_HAND.test(path) && !Object.values(OWN).includes(path),
  )
  if (missing) throw new Error(`npx weapp-session would need ${missing.path}`)
  await writePage(join(target, 'page'))
}

const besideIt: Plugin = {
  name: 'beside-it',
  setup({ onResolve }) {
    onResolve({ filter: /^weapp-session/ }, ({ path }) => ({ path: OWN[path] ?? path, external: true }))
  },
}

async function writePage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (const [path, { body }] of await buildPage()) {
    const name = path === '/' ? 'index.html' : path.slice(1)
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(minified(name, Buffer.from(body))))
  }
}

function minified(name: string, body: Buffer): string | Buffer {
  const loader = /\.(css|js)$/.exec(name)?.[1] as 'css' | 'js' | undefined
  return loader
    ? transformSync(body, { loader, minify: true, format: 'esm', charset: 'utf8', target: 'es2022' }).code
    : body
}
