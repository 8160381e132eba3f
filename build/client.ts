import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

/** Bundles the client into one CommonJS file. A mini-program copies the folder as it is. */
export function buildClient(target: string): void {
  // A mini-program resolves `weapp-session` to index.js, and `weapp-session/client` to client.js.
  const files = {
    'index.js': bundle(),
    'client.js': "module.exports = require('./index.js')\n",
    'package.json': '{ "type": "commonjs" }\n',
  }
  mkdirSync(target, { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(target, name), content)
}

/** Needs nothing but `module` and `wx`. Has no global names, so that any minifier may shorten them all. */
function bundle(): string {
  const { outputFiles } = buildSync({
    entryPoints: ['client/index.ts'],
    bundle: true,
    format: 'esm',
    target: 'es2018',
    charset: 'utf8',
    write: false,
  })
  // esbuild's CommonJS format adds half a kilobyte of glue. Its ES modules end with `export { … };`.
  const [code, exported] = (outputFiles[0]?.text ?? '').split(/^export /m)
  return `(() => {\n'use strict'\n${code}module.exports = ${exported}})()\n`
}
