// Puts into dist what tsc leaves out: lib is compiled to CommonJS, and once more to ES modules in dist/module.
import { copyFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

for (const [folder, type] of [
  ['../dist', 'commonjs'],
  ['../dist/module', 'module'],
]) {
  copyFileSync(path('http/ioredis.cjs'), path(`${folder}/http/ioredis.cjs`))
  writeFileSync(path(`${folder}/package.json`), `{ "type": "${type}" }\n`)
}
