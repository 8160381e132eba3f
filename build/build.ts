// Builds the package in dist, after tsc has written the declarations to dist/declarations.
import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildClient } from './client.js'
import { buildShort, buildTraceable } from './code.js'
import { buildCommand } from './command.js'
import { bundleDeclarations } from './declarations.js'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

buildTraceable('lib', 'dist')
for (const loader of [
  'cockatiel',
  'http/ioredis',
  'http/express-rate-limit',
  'service-tokens/jsonwebtoken',
  'stores/lru-cache',
]) {
  copyFileSync(`lib/${loader}.cjs`, `dist/${basename(loader)}.cjs`)
}
buildShort('sandbox', 'dist/sandbox')
buildShort('store-contract', 'dist/store-contract')
writeFileSync('dist/package.json', '{ "type": "commonjs" }\n')
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
