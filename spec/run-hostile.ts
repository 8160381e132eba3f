import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// What `npm run test:hostile` runs: all hostile requests, on Express 5 and then on Express 4.
const SPEC = 'spec/attacks/hostile-requests.spec.ts'
const REQUESTS = '50000'
const versions: Record<string, Record<string, string>> = {
  'Express 5': {},
  'Express 4': { TSX_TSCONFIG_PATH: fileURLToPath(import.meta.resolve('./tsconfig.express4.json')) },
}

const mocha = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'))
for (const [title, env] of Object.entries(versions)) {
  process.stdout.write(`\n${title}\n`)
  const { status } = spawnSync(process.execPath, [mocha, SPEC], {
    stdio: 'inherit',
    env: { ...process.env, HOSTILE_REQUESTS: REQUESTS, ...env },
  })
  if (status !== 0) process.exitCode = 1
}
