import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

/** Makes the client one CommonJS file. A mini-program copies the folder as it is. */
export function buildClient(target: string): void {
  // A mini-program finds index.js under the name of the package, and client.js as `weapp-session/client`, its name everywhere.
  const files = {
    'index.js': bundle(),
    'client.js': "module.exports = require('./index.js')\n",
    'package.json': '{ "type": "commonjs" }\n',
  }
  mkdirSync(target, { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(target, name), content)
}

/** One file that needs nothing but `module` and `wx`. All its names are inner ones, so that any minifier may shorten them. */
function bundle(): string {
  const { outputFiles } = buildSync({
    entryPoints: ['client/index.ts'],
    bundle: true,
    format: 'esm',
    target: 'es2018',
    charset: 'utf8',
    write: false,
  })
  // esbuild's own CommonJS costs half a kilobyte of glue. As an ES module it ends with `export { … };`.
  const [code, names] = (outputFiles[0]?.text ?? '').split(/^export /m)
  return `(() => {\n'use strict'\n${code}module.exports = ${names}})()\n`
}
