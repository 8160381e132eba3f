import { type Bench, type Row, verdictOf } from '../bench.js'
import { CommandCounts, type Counted } from '../command-counts.js'
import { CONNECTIONS, type Crew, sendRequests } from '../crew.js'
import type { PeerName } from '../peers/all.js'
import { figure } from '../statistics.js'

const COUNTED = { quick: 1_920, full: 10_000 }
/** To learn which commands are those of scripts. */
const LEARNED = 640

const names: readonly PeerName[] = [
  'weapp-session',
  'weapp-session, enableAutoPipelining',
  'weapp-session, local cache',
  'hand-written GET',
  'express-session + connect-redis',
]

/** Rows 1 and 2: what is asked of Redis for one authenticated request. */
export async function commandRows(bench: Bench, crew: Crew): Promise<Row[]> {
  const counts = new CommandCounts(crew.redis)
  const requests = bench.isQuick ? COUNTED.quick : COUNTED.full
  async function count(name: PeerName, connections: number): Promise<Counted> {
    bench.progress(`counts the commands of ${name}, connections: ${connections}`)
    await counts.learn(() => sendRequests(crew, name, LEARNED, connections))
    return counts.of(requests, () => sendRequests(crew, name, requests, connections))
  }
  const alone = await count('weapp-session', 1)
  const together: Partial<Record<PeerName, Counted>> = {}
  for (const name of names) if (crew.servers.has(name)) together[name] = await count(name, CONNECTIONS)
  bench.figures.commands = { 'weapp-session, one at a time': alone, ...together }
  const [atOnce, hot] = [together['weapp-session'], together['weapp-session, local cache']]
  if (!atOnce) throw new Error('weapp-session is not open')
  return [
    {
      number: 1,
      measured: `${figure(alone.sent)}; ${figure(atOnce.sent)}`,
      verdict: verdictOf(rounded(alone.sent) <= 1 && rounded(atOnce.sent) <= 0.5),
    },
    {
      number: 2,
      measured: hot ? hot.sent.toFixed(4) : '',
      verdict: hot ? verdictOf(hot.sent <= 0.02) : 'not there',
    },
  ]
}

/** A write that falls due now and then is none of each request. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
