import type { IncomingHttpHeaders } from 'node:http'
import type { Redis } from 'ioredis'
import {
  type Bench,
  figure,
  type OwnRedis,
  type Row,
  type Verdict,
  verdictOf,
  withProcesses,
} from '../bench.js'
import type { Child } from '../child.js'
import { CommandCounts, type Counted } from '../command-counts.js'
import type { Load } from '../load.js'
import type { PeerName } from '../peers/all.js'
import { type ProfileSummary, summarize } from '../profile.js'
import { median } from '../statistics.js'

const CONNECTIONS = 64
const PROFILED_REQUESTS = 20_000
/** How many sessions are asked for again and again where the local cache is on. */
const HOT_SESSIONS = 640

const peers: readonly PeerName[] = [
  'bare Express 5',
  'bare Express 4',
  'hand-written GET',
  'weapp-session',
  'weapp-session, enableAutoPipelining',
  'weapp-session, local cache',
  'express-session + connect-redis',
  'wafer-node-session, MemoryStore',
  'wafer-node-session + connect-redis',
]
const onExpress4: readonly PeerName[] = [
  'wafer-node-session, MemoryStore',
  'wafer-node-session + connect-redis',
]

/** Whose commands are counted besides, at 64 connections. */
const counted: readonly PeerName[] = [
  'weapp-session, enableAutoPipelining',
  'hand-written GET',
  'express-session + connect-redis',
]
const notInAQuickRun: readonly PeerName[] = [
  'weapp-session, enableAutoPipelining',
  'wafer-node-session + connect-redis',
]

interface Crew {
  readonly load: Child
  readonly servers: ReadonlyMap<PeerName, Child>
  readonly redis: Redis
}

/** Rows 1 to 4: what one authenticated request costs. */
export async function requestRows(bench: Bench): Promise<Row[]> {
  const leftOut: readonly PeerName[] = [
    ...(bench.hasLocalCache ? [] : (['weapp-session, local cache'] as const)),
    ...(bench.isQuick ? notInAQuickRun : []),
  ]
  const names = peers.filter((name) => !leftOut.includes(name))
  return withProcesses(async (start, startRedis) => {
    const redis = await startRedis()
    const load = start('load')
    const servers = new Map<PeerName, Child>()
    for (const name of names) {
      bench.progress(`opens ${name}`)
      servers.set(name, start('server'))
      await open({ bench, name, server: servers.get(name) as Child, load, redis })
    }
    const crew = { load, servers, redis: redis.client }
    const [commands, cpu] = [await countCommands(bench, crew), await measureCpu(bench, crew)]
    bench.figures['CPU a request, in microseconds'] = cpu
    bench.figures['bytes allocated a request'] = await measureAllocations(bench, crew)
    bench.figures['profile of weapp-session, in percent'] = await profileOf(bench, crew)
    return [...commands, ...cpuRows(bench, cpu)]
  })
}

interface Opening {
  readonly bench: Bench
  readonly name: PeerName
  readonly server: Child
  readonly load: Child
  readonly redis: OwnRedis
}

async function open({ bench, name, server, load, redis }: Opening): Promise<void> {
  const url = await server.ask<string>('open', { name, redisUrl: redis.server.url })
  const isHot = name === 'weapp-session, local cache'
  const sessions = isHot ? HOT_SESSIONS : bench.isQuick ? 1_920 : 10_000
  const headers = await server.ask<IncomingHttpHeaders[]>('logIn', sessions)
  const shots = headers.map((of) => ({ method: 'GET' as const, headers: of as Record<string, string> }))
  const aim: Load = { name, url, shots }
  await load.ask('aim', aim)
  await run(load, name, bench.isQuick ? 3_840 : 10_000)
}

function run(load: Child, name: PeerName, requests: number, connections = CONNECTIONS): Promise<number> {
  return load.ask('run', { name, requests, connections })
}

async function countCommands(bench: Bench, { load, redis }: Crew): Promise<Row[]> {
  const counts = new CommandCounts(redis)
  const requests = bench.isQuick ? 1_920 : 10_000
  async function count(name: PeerName, connections: number): Promise<Counted> {
    bench.progress(`counts the commands of ${name}, ${connections} connections`)
    await counts.learn(() => run(load, name, 320, connections))
    return counts.of(requests, () => run(load, name, requests, connections))
  }
  const alone = await count('weapp-session', 1)
  const together = await count('weapp-session', CONNECTIONS)
  const cached = bench.hasLocalCache ? await count('weapp-session, local cache', CONNECTIONS) : undefined
  const others: Record<string, Counted> = {}
  if (!bench.isQuick) for (const name of counted) others[name] = await count(name, CONNECTIONS)
  bench.figures['Redis commands a request'] = { alone, together, cached, ...others }
  const inside = ({ inScripts }: Counted) => `${figure(inScripts)} more inside of scripts`
  return [
    {
      number: 1,
      what: 'Redis commands an authenticated request',
      target: '≤ 1.00 alone, ≤ 0.5 at 64 connections',
      measured: `${figure(alone.sent)} alone (${inside(alone)}), ${figure(together.sent)} at 64 connections (${inside(together)})`,
      verdict: verdictOf(alone.sent <= 1 && together.sent <= 0.5),
    },
    {
      number: 2,
      what: '… hot session, local cache on',
      target: '≤ 0.02',
      measured: cached ? cached.sent.toFixed(4) : '',
      verdict: cached ? verdictOf(cached.sent <= 0.02) : 'not there',
    },
  ]
}

/** Microseconds of CPU a request: of the process, and over the bare route of the same Express. */
type Cpu = Partial<Record<PeerName, { readonly whole: number; readonly added: number }>>

async function measureCpu(bench: Bench, { load, servers }: Crew): Promise<Cpu> {
  const [rounds, requests] = bench.isQuick ? [3, 1_920] : [15, 10_000]
  const samples = new Map<PeerName, number[]>([...servers.keys()].map((name) => [name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    bench.progress(`measures CPU, round ${round} of ${rounds}`)
    for (const [name, server] of servers) {
      const before = await server.ask<number>('cpu')
      await run(load, name, requests)
      samples.get(name)?.push(((await server.ask<number>('cpu')) - before) / requests)
    }
  }
  const of = (name: PeerName) => samples.get(name) ?? []
  return Object.fromEntries(
    [...servers.keys()].map((name) => {
      const bare = of(
        onExpress4.includes(name) || name === 'bare Express 4' ? 'bare Express 4' : 'bare Express 5',
      )
      const added = of(name).map((sample, round) => sample - (bare[round] ?? Number.NaN))
      return [name, { whole: median(of(name)), added: median(added) }]
    }),
  )
}

function cpuRows(bench: Bench, cpu: Cpu): Row[] {
  const added = (name: PeerName) => cpu[name]?.added ?? Number.NaN
  const ours = added('weapp-session')
  const ratios = {
    get: ours / added('hand-written GET'),
    expressSession: ours / added('express-session + connect-redis'),
    wafer: ours / added('wafer-node-session, MemoryStore'),
    waferOverRedis: ours / added('wafer-node-session + connect-redis'),
    cached: added('weapp-session, local cache') / added('hand-written GET'),
  }
  bench.figures['CPU that weapp-session adds, as a multiple of what others add'] = ratios
  const isNoisy = Object.values(cpu).some(({ added }) => added < 0)
  const judge = (isMet: boolean): Verdict => (isNoisy ? 'too noisy' : verdictOf(isMet))
  return [
    {
      number: 3,
      what: 'CPU that `requireSession()` adds to the bare route',
      target: '≤ 0.75 × the hand-written GET, ≤ 0.25 × express-session, ≤ 1.1 × wafer-node-session',
      measured:
        `${figure(ours)} µs: ${figure(ratios.get)} ×, ${figure(ratios.expressSession)} ×, ${figure(ratios.wafer)} ×` +
        (bench.isQuick ? '' : ` (${figure(ratios.waferOverRedis)} × with its sessions in Redis)`),
      verdict: judge(ratios.get <= 0.75 && ratios.expressSession <= 0.25 && ratios.wafer <= 1.1),
    },
    {
      number: 4,
      what: '… local cache on',
      target: '≤ 0.4 × that GET',
      measured: bench.hasLocalCache ? `${figure(ratios.cached)} ×` : '',
      verdict: bench.hasLocalCache ? judge(ratios.cached <= 0.4) : 'not there',
    },
  ]
}

/** Bytes allocated a request. They depend little on what else the machine does. */
async function measureAllocations(bench: Bench, { load, servers }: Crew): Promise<Record<string, number>> {
  const requests = bench.isQuick ? 960 : 10_000
  const bytes: Record<string, number> = {}
  for (const [name, server] of servers) {
    await server.ask('startAllocations')
    await run(load, name, requests)
    bytes[name] = Math.round((await server.ask<number>('stopAllocations')) / requests)
  }
  return bytes
}

async function profileOf(bench: Bench, { load, servers }: Crew): Promise<ProfileSummary> {
  const server = servers.get('weapp-session') as Child
  await server.ask('startProfile')
  await run(load, 'weapp-session', bench.isQuick ? 1_920 : PROFILED_REQUESTS)
  return summarize(await server.ask('stopProfile'))
}
