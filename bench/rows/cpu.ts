import { type Bench, type Row, type Verdict, verdictOf } from '../bench.js'
import { type Crew, sendRequests } from '../crew.js'
import type { RequestCpu } from '../figures.js'
import { PEERS, type PeerName } from '../peers/all.js'
import { figure, median, quantile } from '../statistics.js'

const ROUNDS = { quick: 3, full: 15 }
/** Each peer alike: what is counted before warms some of them up, and code that is not compiled yet is slow. */
const WARM_UP = { quick: 7_680, full: 10_000 }
const REQUESTS = { quick: 1_920, full: 4_000 }
/** What the local cache had before is too old when the turn of its server comes again. */
const REMINDERS = 640
/** Beyond it a ratio says no more than that the other one is next to nothing. */
const MOST_TIMES = 20

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
  // What the GET adds may be less than the noise: then no ratio to it is small.
  const isNoisy = [
    'weapp-session',
    'express-session + connect-redis',
    'wafer-node-session, MemoryStore',
  ].some((name) => added(name as PeerName) <= 0)
  const judge = (isMet: boolean): Verdict => (isNoisy ? 'too noisy' : verdictOf(isMet))
  const isWithin = (ratio: number, most: number) => ratio >= 0 && ratio <= most
  const times = (ratio: number) => (isWithin(ratio, MOST_TIMES) ? `${figure(ratio)} ×` : `> ${MOST_TIMES} ×`)
  return [
    {
      number: 3,
      measured: `${figure(ours)} µs, ${[ratios.get, ratios.expressSession, ratios.wafer].map(times).join('; ')}`,
      verdict: judge(
        isWithin(ratios.get, 0.75) && isWithin(ratios.expressSession, 0.25) && isWithin(ratios.wafer, 1.1),
      ),
    },
    {
      number: 4,
      measured: `${figure(added('weapp-session, local cache'))} µs, ${times(ratios.cached)}`,
      verdict: judge(isWithin(ratios.cached, 0.4)),
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
      await sendRequests(crew, name, REMINDERS)
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
