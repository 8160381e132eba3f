import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync, transformSync } from 'esbuild'

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

/** One file that needs nothing but `module` and `wx`. */
function bundle(): string {
  const options = { target: 'es2018', charset: 'utf8', logLevel: 'warning' } as const
  const { outputFiles } = buildSync({
    ...options,
    entryPoints: ['client/index.ts'],
    bundle: true,
    format: 'esm',
    write: false,
  })
  // esbuild's own CommonJS costs half a kilobyte of glue. As an ES module it ends with `export { … };`.
  const [code, names] = (outputFiles[0]?.text ?? '').split(/^export /m)
  return transformSync(`(() => {\n'use strict'\n${code}module.exports = ${names}})()\n`, {
    ...options,
    minify: true,
  }).code
}
