// Makes the code of dist/client, beside the declarations that tsc puts there. A mini-program copies the folder as it is.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const target = fileURLToPath(new URL('../dist/client/', import.meta.url))
// A mini-program finds index.js under the name of the package, and client.js as `weapp-session/client`, its name everywhere.
const files = {
  'index.js': bundle(),
  'client.js': "module.exports = require('./index.js')\n",
  'package.json': '{ "type": "commonjs" }\n',
}

for (const [name, content] of Object.entries(files)) writeFileSync(target + name, content)

/** One file that needs nothing but `module` and `wx`. All its names are inner ones, so that any minifier may shorten them. */
function bundle() {
  const { outputFiles } = buildSync({
    entryPoints: [`${here}index.ts`],
    bundle: true,
    format: 'esm',
    target: 'es2018',
    charset: 'utf8',
    write: false,
  })
  // esbuild's own CommonJS costs half a kilobyte of glue. As an ES module it ends with `export { … };`.
  const [code, names] = outputFiles[0].text.split(/^export /m)
  return `(() => {\n'use strict'\n${code}module.exports = ${names}})()\n`
}
