import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Counts } from './support/counting-reporter.js'
import { installSeparateFolders } from './support/installation.js'
import { findRedisServer } from './support/redis-binary.js'

interface Run {
  title: string
  specs: string[]
  env: Record<string, string>
}

// What `npm test` runs: the whole suite on Express 5, then what speaks HTTP once more on Express 4.
const runs: Run[] = [
  { title: 'Express 5', specs: ['spec/**/*.spec.ts'], env: {} },
  {
    title: 'Express 4',
    specs: [
      'spec/attacks/**/*.spec.ts',
      'spec/http/**/*.spec.ts',
      'spec/protocols/**/*.spec.ts',
      'spec/recipes/**/*.spec.ts',
      'spec/example-app/**/*.spec.ts',
      'spec/old-clients/*.spec.ts',
    ],
    env: { TSX_TSCONFIG_PATH: fileURLToPath(import.meta.resolve('./tsconfig.express4.json')) },
  },
]

const mochaBinary = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'))
const mochaArgs = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'weapp-session-run-'))

let current: ChildProcess | undefined
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt)
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))

const total: Counts = { passed: 0, failed: 0 }
const redisServer = orExit(findRedisServer)
orExit(installSeparateFolders)
for (const [index, run] of runs.entries()) {
  if (interrupted) break
  const { passed, failed } = await runMocha(run, index)
  total.passed += passed
  total.failed += failed
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 && !interrupted ? 0 : 1

/** What the tests need. Where it cannot be had, its one sentence is all that is said. */
function orExit<Result>(prepare: () => Result): Result {
  try {
    return prepare()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exit(1)
  }
}

async function runMocha({ title, specs, env }: Run, index: number): Promise<Counts> {
  process.stdout.write(`\n${title}\n`)
  const countsFile = join(directory, `${index}.json`)
  // A filter such as --grep must find a test somewhere, but need not find one in the second run.
  const options = index > 0 && mochaArgs.length > 0 ? ['--no-fail-zero'] : []
  const args = [
    mochaBinary,
    '--reporter',
    'spec/support/counting-reporter.ts',
    ...options,
    ...mochaArgs,
    ...specs,
  ]
  current = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, ...env, REDIS_SERVER: redisServer, COUNTS_FILE: countsFile },
  })
  const [code] = await once(current, 'exit')
  const counts = readCounts(countsFile)
  const failedUncounted = code !== 0 && counts?.failed === 0
  return counts && !failedUncounted ? counts : { passed: counts?.passed ?? 0, failed: 1 }
}

/** Undefined when mocha ended before its report. */
function readCounts(file: string): Counts | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Counts
  } catch {
    return undefined
  }
}

// Mocha's binary hands SIGINT on to the process that runs the tests, and no other signal.
function interrupt(): void {
  interrupted = true
  current?.kill('SIGINT')
}
