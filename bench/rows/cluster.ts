import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { slotOf } from '../../spec/support/hash-slot.js'
import { startRedisCluster } from '../../spec/support/redis-cluster.js'
import { type Bench, type Row, withProcesses } from '../bench.js'
import type { Child } from '../child.js'
import { CONNECTIONS } from '../crew.js'
import type { ClusterCost, ClusterFigures, MasterCost } from '../figures.js'
import type { Load } from '../load.js'
import { median } from '../statistics.js'

const ROUNDS = 5
const CALLS = { quick: 384, full: 2_000 }
/** What goes on after the last response has ended by then. */
const REST_MS = 500
const IDLE_MS = 2_000

const FILLED_KEYS = 100_000
const FILL = `for number = 1, tonumber(ARGV[1]) do redis.call('SET', KEYS[1] .. number, number) end`

/** Figures without a row: what requests, visits and logins cost the masters of a Redis Cluster. */
export async function clusterRows(bench: Bench): Promise<Row[]> {
  const cluster = await startRedisCluster({ slotApart: slotOf('weapp:all') })
  const masters = cluster.nodes.map((node) => new Redis(node))
  try {
    bench.figures.cluster = await withProcesses(async (start, startRedis) => {
      const [server, load] = [start('cluster-server'), start('load')]
      await server.ask('open', cluster.nodes)
      const costs = await measure(bench, masters, server, load)
      const single = await bytesOfKey((await startRedis()).client)
      return { ...costs, moreBytesOfKey: (await bytesOfKey(masters[0] as Redis)) - single }
    })
    return []
  } finally {
    for (const master of masters) master.disconnect()
    await cluster.stop()
  }
}

async function measure(
  bench: Bench,
  masters: readonly Redis[],
  server: Child,
  load: Child,
): Promise<Omit<ClusterFigures, 'moreBytesOfKey'>> {
  const calls = bench.isQuick ? CALLS.quick : CALLS.full
  bench.progress('fills a Cluster')
  for (const aim of await server.ask<Load[]>('requests', calls)) await load.ask('aim', aim)
  await load.ask('aim', await server.ask<Load>('logins', calls * (ROUNDS + 1)))
  const samples: Record<string, ClusterCost[]> = { me: [], visit: [], login: [], revokeUser: [] }
  const idleMicros = await idleCost(masters)
  const loginBytes: number[] = []
  // The first round is a warm-up.
  for (let round = 0; round <= ROUNDS; round += 1) {
    bench.progress(`measures what a Cluster does, round ${round} of ${ROUNDS}`)
    for (const [name, costs] of Object.entries(samples)) {
      const bytes = await usedMemory(masters)
      const cost = await costOf(masters, calls, idleMicros, () =>
        name === 'revokeUser'
          ? server.ask('revokeUsers', calls)
          : load.ask('run', { name, requests: calls, connections: CONNECTIONS }),
      )
      if (round === 0) continue
      costs.push(cost)
      if (name === 'login') loginBytes.push(((await usedMemory(masters)) - bytes) / calls)
    }
  }
  const of = (name: string) => medianCost(samples[name] ?? [])
  return {
    calls: calls * ROUNDS,
    request: of('me'),
    visit: of('visit'),
    login: of('login'),
    revokeUser: of('revokeUser'),
    loginBytes: median(loginBytes),
    idleMicros,
  }
}

/** The first master has the marks, and nothing else. What a master uses while nobody asks it does not count. */
async function costOf(
  masters: readonly Redis[],
  calls: number,
  idleMicros: number,
  work: () => Promise<unknown>,
): Promise<ClusterCost> {
  await Promise.all(masters.map((master) => master.config('RESETSTAT')))
  const before = await Promise.all(masters.map(used))
  const from = performance.now()
  await work()
  await delay(REST_MS)
  const after = await Promise.all(masters.map(used))
  const idle = (idleMicros * (performance.now() - from)) / 1000
  const [marks, ...users] = after.map((cost, at) => ({
    commands: cost.commands / calls,
    cpu: (cost.cpu - (before[at]?.cpu ?? 0) - idle) / calls,
    inCommands: cost.inCommands / calls,
  }))
  if (!marks) throw new Error('there is no master')
  return { marks, users: combined(users, (values) => values.reduce((sum, value) => sum + value, 0)) }
}

/** Since the statistics of its commands were reset, and the CPU since it was started. */
async function used(master: Redis): Promise<MasterCost> {
  const scripts = /cmdstat_evalsha:calls=(\d+),usec=(\d+)/.exec(await master.info('commandstats')) ?? []
  const cpu = await master.info('cpu')
  const seconds = [...cpu.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, value]) => Number(value))
  return {
    commands: Number(scripts[1] ?? 0),
    cpu: seconds.reduce((sum, value) => sum + value, 0) * 1e6,
    inCommands: Number(scripts[2] ?? 0),
  }
}

async function idleCost(masters: readonly Redis[]): Promise<number> {
  const all = async () => combined(await Promise.all(masters.map(used)), median).cpu
  const before = await all()
  await delay(IDLE_MS)
  return ((await all()) - before) / (IDLE_MS / 1000)
}

async function bytesOfKey(master: Redis): Promise<number> {
  const before = await usedMemory([master])
  await master.eval(FILL, 1, '{weapp:all}', FILLED_KEYS)
  return ((await usedMemory([master])) - before) / FILLED_KEYS
}

async function usedMemory(masters: readonly Redis[]): Promise<number> {
  const texts = await Promise.all(masters.map((master) => master.info('memory')))
  return texts.reduce((sum, text) => sum + Number(/used_memory:(\d+)/.exec(text)?.[1]), 0)
}

function medianCost(costs: readonly ClusterCost[]): ClusterCost {
  const of = (part: keyof ClusterCost) =>
    combined(
      costs.map((cost) => cost[part]),
      median,
    )
  return { users: of('users'), marks: of('marks') }
}

function combined(costs: readonly MasterCost[], combine: (values: readonly number[]) => number): MasterCost {
  const of = (name: keyof MasterCost) => combine(costs.map((cost) => cost[name]))
  return { commands: of('commands'), cpu: of('cpu'), inCommands: of('inCommands') }
}
