import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PARTS, type Part } from './parts.js'
import type { Counts } from './support/counting-reporter.js'
import { installSeparateFolders } from './support/installation.js'
import { findRedisServer } from './support/redis-binary.js'

/* What `npm test` runs: all parts of the suite, as many at once as there are cores. */

const mochaBinary = fileURLToPath(import.meta.resolve('mocha/bin/mocha.js'))
const mochaArgs = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'weapp-session-run-'))

const underWay = new Set<ChildProcess>()
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt)
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))

const total = { passed: 0, failed: 0 }
const failures: string[] = []
const redisServer = orExit(findRedisServer)
orExit(installSeparateFolders)
const left = PARTS.entries()
await Promise.all(Array.from({ length: availableParallelism() }, runParts))
if (failures.length > 0) process.stdout.write(`\nThese failed:\n\n${failures.join('\n\n')}\n`)
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
// A filter such as --grep may find nothing in a part, but has to find a test in one of them.
if (total.passed + total.failed === 0) process.stderr.write('no test was run\n')
process.exitCode = total.passed > 0 && total.failed === 0 && !interrupted ? 0 : 1

/** What the tests need. Where it cannot be had, its one sentence is all that is said. */
function orExit<Result>(prepare: () => Result): Result {
  try {
    return prepare()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exit(1)
  }
}

/** Runs one part after the other, while others do the same. */
async function runParts(): Promise<void> {
  for (const [index, part] of left) {
    if (interrupted) return
    const counts = await runMocha(part, index)
    total.passed += counts.passed
    total.failed += counts.failed
    failures.push(...counts.failures.map((failure) => `${part.title}: ${failure}`))
  }
}

/** Shows what mocha writes when it has ended, so that parts do not write into each other. */
async function runMocha({ title, specs, ignored = [], env }: Part, index: number): Promise<Counts> {
  const countsFile = join(directory, `${index}.json`)
  const options = [
    ...(mochaArgs.length > 0 ? ['--no-fail-zero'] : []),
    ...(process.stdout.isTTY ? ['--color'] : []),
    ...ignored.flatMap((pattern) => ['--ignore', pattern]),
  ]
  const reporter = ['--reporter', 'spec/support/counting-reporter.ts']
  const outputFile = join(directory, `${index}.txt`)
  const output = openSync(outputFile, 'w')
  const mocha = spawn(process.execPath, [mochaBinary, ...reporter, ...options, ...mochaArgs, ...specs], {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env, REDIS_SERVER: redisServer, COUNTS_FILE: countsFile },
  })
  closeSync(output)
  underWay.add(mocha)
  process.stdout.write(`${title}: begins\n`)
  const [code] = (await once(mocha, 'exit')) as [number | null]
  underWay.delete(mocha)
  const counts = countsOf(readCounts(countsFile), code)
  // A part in which a filter finds nothing has nothing to show.
  if (counts.passed + counts.failed > 0)
    process.stdout.write(`\n${title}\n${readFileSync(outputFile, 'utf8')}`)
  return counts
}

function countsOf(counts: Counts | undefined, code: number | null): Counts {
  if (counts && (code === 0 || counts.failed > 0)) return counts
  return {
    passed: counts?.passed ?? 0,
    failed: 1,
    failures: [`mocha ended with ${code}, and no test says why`],
  }
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
  for (const mocha of underWay) mocha.kill('SIGINT')
}
