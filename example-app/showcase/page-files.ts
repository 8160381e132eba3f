import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** What the browser loads, by path. */
export type PageFiles = ReadonlyMap<string, { readonly type: string; readonly body: string | Uint8Array }>

const inPage = (name: string) => fileURLToPath(new URL(`../page/${name}`, import.meta.url))

/** Reads the page, and bundles its scripts with the client of the mini-program, in memory. Takes some 50 ms. */
export async function buildPage(): Promise<PageFiles> {
  const [html, css, icon, script] = await Promise.all([
    readFile(inPage('index.html')),
    readFile(inPage('page.css')),
    readFile(inPage('icon.svg')),
    bundle(),
  ])
  return new Map([
    ['/', { type: 'text/html', body: html }],
    ['/page.css', { type: 'text/css', body: css }],
    ['/icon.svg', { type: 'image/svg+xml', body: icon }],
    ['/page.js', { type: 'text/javascript', body: script }],
  ])
}

async function bundle(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [inPage('main.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    define: { HAS_SOURCES: 'true' },
    write: false,
    logLevel: 'silent',
  })
  const [script] = outputFiles
  if (!script) throw new Error('esbuild returned nothing for example-app/page/main.ts')
  return script.contents
}
