import { type Bench, type Row, type Verdict, verdictOf } from '../bench.js'
import { type Crew, sendRequests } from '../crew.js'
import type { RequestCpu } from '../figures.js'
import { PEERS, type PeerName } from '../peers/all.js'
import { figure, median, quantile } from '../statistics.js'

const ROUNDS = { quick: 3, full: 11 }
/** Each peer alike: what is counted before warms some of them up, and code that is not compiled yet is slow. */
const WARM_UP = { quick: 7_680, full: 10_000 }
const REQUESTS = { quick: 1_920, full: 4_000 }

type Cpu = Partial<Record<PeerName, RequestCpu>>

/** Rows 3 and 4: the CPU that a session costs. */
export async function cpuRows(bench: Bench, crew: Crew): Promise<Row[]> {
  const cpu = await measure(bench, crew)
  const added = (name: PeerName) => cpu[name]?.added ?? Number.NaN
  const ours = added('weapp-session')
  const ratios = {
    get: ours / added('hand-written GET'),
    expressSession: ours / added('express-session + connect-redis'),
    wafer: ours / added('wafer-node-session, MemoryStore'),
    cached: added('weapp-session, local cache') / added('hand-written GET'),
  }
  bench.figures.cpu = cpu
  bench.figures.cpuRatios = ratios
  const isNoisy = Object.values(cpu).some((each) => each.added < 0)
  const judge = (isMet: boolean): Verdict => (isNoisy ? 'too noisy' : verdictOf(isMet))
  const times = (ratio: number) => `${figure(ratio)} ×`
  return [
    {
      number: 3,
      measured: `${figure(ours)} µs, ${[ratios.get, ratios.expressSession, ratios.wafer].map(times).join('; ')}`,
      verdict: judge(ratios.get <= 0.75 && ratios.expressSession <= 0.25 && ratios.wafer <= 1.1),
    },
    {
      number: 4,
      measured: bench.hasLocalCache ? times(ratios.cached) : '',
      verdict: bench.hasLocalCache ? judge(ratios.cached <= 0.4) : 'not there',
    },
  ]
}

/**
 * Medians of rounds in which the peers take turns, so that noise meets them all alike. Each round begins with
 * another one: none is always the first.
 */
async function measure(bench: Bench, crew: Crew): Promise<Cpu> {
  const rounds = bench.isQuick ? ROUNDS.quick : ROUNDS.full
  const requests = bench.isQuick ? REQUESTS.quick : REQUESTS.full
  const samples = new Map<PeerName, number[]>([...crew.servers.keys()].map((name) => [name, []]))
  bench.progress('warms up')
  for (const name of crew.servers.keys()) {
    await sendRequests(crew, name, bench.isQuick ? WARM_UP.quick : WARM_UP.full)
  }
  for (let round = 1; round <= rounds; round += 1) {
    bench.progress(`measures CPU, round ${round} of ${rounds}`)
    const all = [...crew.servers]
    for (const [name, server] of [...all.slice(round % all.length), ...all.slice(0, round % all.length)]) {
      const before = await server.ask<number>('cpu')
      await sendRequests(crew, name, requests)
      samples.get(name)?.push(((await server.ask<number>('cpu')) - before) / requests)
    }
  }
  const of = (name: PeerName) => samples.get(name) ?? []
  return Object.fromEntries(
    [...samples.keys()].map((name) => {
      const bare = of(PEERS[name].express === 'express4' ? 'bare Express 4' : 'bare Express 5')
      const added = of(name).map((sample, round) => sample - (bare[round] ?? Number.NaN))
      const quartiles = [quantile(added, 0.25), quantile(added, 0.75)] as const
      return [name, { whole: median(of(name)), added: median(added), quartiles }]
    }),
  )
}
