import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Bench, type Row, withProcesses } from './bench.js'
import { compile } from './compile.js'
import { documentTables } from './document-tables.js'
import { updateDocuments } from './documents.js'
import { machine } from './machine.js'
import type { Results } from './results.js'
import { root } from './root.js'
import { clusterRows } from './rows/cluster.js'
import { growthRow } from './rows/growth.js'
import { loginRow } from './rows/login.js'
import { memoryRow } from './rows/memory.js'
import { packageRow } from './rows/package.js'
import { requestRows } from './rows/requests.js'
import { revocationRow } from './rows/revocation.js'
import { serviceTokenRow } from './rows/service-token.js'

const KEPT_FILE = 'bench/results.json'

type Part = (bench: Bench) => Promise<Row | readonly Row[]>

const parts: Readonly<Record<string, Part>> = {
  requests: requestRows,
  login: loginRow,
  cluster: clusterRows,
  memory: memoryRow,
  growth: growthRow,
  revocation: revocationRow,
  'service-token': serviceTokenRow,
  package: packageRow,
}

const {
  quick,
  quote,
  only = Object.keys(parts),
} = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    quote: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
  },
}).values

const unknown = only.filter((name) => !(name in parts))
if (unknown.length > 0) {
  say(`--only takes ${Object.keys(parts).join(', ')}\n`)
  process.exit(1)
}

if (quote) {
  updateDocuments(JSON.parse(readFileSync(join(root, KEPT_FILE), 'utf8')) as Results)
  process.exit()
}

const startedAt = Date.now()
const bench: Bench = {
  isQuick: quick,
  figures: {},
  progress: (text) => say(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)} s  ${text}\n`),
}

bench.progress('compiles')
compile()
const redisVersion = await withProcesses(async (_start, startRedis) => {
  const { client } = await startRedis()
  return /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown'
})
const before = machine(redisVersion)
const rows: Row[] = []
for (const name of only) rows.push(...[(await parts[name]?.(bench)) ?? []].flat())

rows.sort((a, b) => a.number - b.number)
const results: Results = {
  date: new Date(startedAt).toISOString(),
  command: quick ? 'npm run bench -- --quick' : 'npm run bench',
  seconds: Math.round((Date.now() - startedAt) / 1000),
  ...before,
  rows,
  figures: bench.figures,
}
const { rows: rowTable, requests, profile, cluster } = documentTables(results, 'en')
say(`\n${rowTable}\n`)
if (bench.figures.cluster) say(`\n${cluster}\n`)
if (bench.figures.cpu) say(`\n${requests}\n\n${profile}\n`)

// Part of it is no whole run, and a quick one is not worth quoting.
const isKept = !quick && only.length === Object.keys(parts).length
const file = isKept ? KEPT_FILE : 'bench/compiled/results.json'
writeFileSync(join(root, file), `${JSON.stringify(results, null, 2)}\n`)
if (isKept) updateDocuments(results)
say(`\nWritten to ${file}. ${quick ? 'A quick run shows the order of magnitude only.' : ''}\n`)

function say(text: string): void {
  process.stdout.write(text)
}
