// Builds the package in dist, after tsc has written the declarations to dist/declarations.
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildClient } from './client.js'
import { buildCode } from './code.js'
import { buildCommand } from './command.js'
import { bundleDeclarations } from './declarations.js'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

buildCode('lib', 'dist', 'dist/module')
buildCode('sandbox', 'dist/sandbox', 'dist/module/sandbox')
buildCode('store-contract', 'dist/store-contract', 'dist/module/store-contract')
buildClient('dist/client')
await buildCommand('dist')

for (const [folder, target] of [
  ['lib', 'dist'],
  ['sandbox', 'dist/sandbox'],
  ['store-contract', 'dist/store-contract'],
  ['client', 'dist/client'],
]) {
  bundleDeclarations(`dist/declarations/${folder}/index.d.ts`, `${target}/index.d.ts`)
}
rmSync('dist/declarations', { recursive: true })

for (const [folder, type] of [
  ['dist', 'commonjs'],
  ['dist/module', 'module'],
]) {
  copyFileSync('lib/http/ioredis.cjs', `${folder}/ioredis.cjs`)
  writeFileSync(`${folder}/package.json`, `{ "type": "${type}" }\n`)
}
