import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { install } from '../spec/support/installation.js'
import { type Bench, type Row, withProcesses } from './bench.js'
import { compile, root } from './compile.js'
import { machine } from './machine.js'
import type { ProfileSummary } from './profile.js'
import { growthRow } from './rows/growth.js'
import { loginRow } from './rows/login.js'
import { memoryRow } from './rows/memory.js'
import { packageRow } from './rows/package.js'
import { requestRows } from './rows/requests.js'
import { revocationRow } from './rows/revocation.js'
import { serviceTokenRow } from './rows/service-token.js'
import { list, table } from './table.js'

type Part = (bench: Bench) => Promise<Row | readonly Row[]>

const parts: Readonly<Record<string, Part>> = {
  requests: requestRows,
  login: loginRow,
  memory: memoryRow,
  growth: growthRow,
  revocation: revocationRow,
  'service-token': serviceTokenRow,
  package: packageRow,
}

const { quick, only = Object.keys(parts) } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
}).values

const unknown = only.filter((name) => !(name in parts))
if (unknown.length > 0) {
  say(`--only takes ${Object.keys(parts).join(', ')}\n`)
  process.exit(1)
}

const startedAt = Date.now()
const bench: Bench = {
  isQuick: quick,
  hasLocalCache: readFileSync(join(root, 'lib/stores/redis-store.ts'), 'utf8').includes('localCache?:'),
  figures: {},
  progress: (text) => say(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)} s  ${text}\n`),
}

bench.progress('installs and compiles')
install(join(root, 'bench'))
compile()
const redisVersion = await withProcesses(async (_start, startRedis) => {
  const { client } = await startRedis()
  return /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown'
})
const before = machine(redisVersion)
const rows: Row[] = []
for (const name of only) rows.push(...[(await parts[name]?.(bench)) ?? []].flat())

rows.sort((a, b) => a.number - b.number)
say(`\n${table(rows)}\n`)
showFigures()
const date = new Date(startedAt).toISOString()
const command = quick ? 'npm run bench -- --quick' : 'npm run bench'
const results = {
  date,
  command,
  seconds: (Date.now() - startedAt) / 1000,
  ...before,
  rows,
  figures: bench.figures,
}
// Part of it is no whole one, and a quick one is not worth quoting.
const isKept = !quick && only.length === Object.keys(parts).length
const file = join(root, 'bench', isKept ? 'results.json' : 'compiled/results.json')
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
say(`Written to ${file}. ${quick ? 'A quick run shows the order of magnitude only.' : ''}\n`)

function showFigures(): void {
  const { figures } = bench
  const cpu = figures['CPU a request, in microseconds'] as
    | Record<string, { whole: number; added: number }>
    | undefined
  if (!cpu) return
  for (const part of ['whole', 'added'] as const) {
    const values = Object.entries(cpu).map(([name, value]) => [name, value[part]])
    say(`${list(`CPU a request in µs, ${part}`, Object.fromEntries(values))}\n`)
  }
  say(
    `${list('bytes allocated a request', figures['bytes allocated a request'] as Record<string, number>)}\n`,
  )
  const { groups, files } = figures['profile of weapp-session, in percent'] as ProfileSummary
  say(`${list('profile of weapp-session: percent of the CPU', groups)}\n`)
  say(`${list('of it this package, by file', files)}\n`)
}

function say(text: string): void {
  process.stdout.write(text)
}
