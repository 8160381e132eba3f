import { type Bench, type Row, verdictOf, withProcesses } from '../bench.js'
import type { Child } from '../child.js'
import type { Load } from '../load.js'
import type { LoginServer, LoginServerRequest } from '../login-server.js'
import { figure, median } from '../statistics.js'

const CONNECTIONS = 16
const COUNTED_LOGINS = 50
const NAMES: readonly LoginServer[] = ['bare', 'hand-written', 'weapp-session']

interface OpenLoginServer {
  readonly child: Child
  readonly url: string
}

/** Row 5: what a login costs. */
export async function loginRow(bench: Bench): Promise<Row> {
  return withProcesses(async (start, startRedis) => {
    const redis = await startRedis()
    const [wechat, load] = [start('wechat'), start('load')]
    const wechatUrl = await wechat.ask<string>('open')
    const servers = new Map<LoginServer, OpenLoginServer>()
    for (const name of NAMES) {
      const child = start('login-server')
      const request: LoginServerRequest = { name, redisUrl: redis.server.url, wechatUrl }
      servers.set(name, { child, url: await child.ask<string>('open', request) })
    }
    bench.progress('counts what a login asks for')
    const counts = await countOne(servers.get('weapp-session') as OpenLoginServer, wechat)
    const cpu = await measureCpu(bench, servers, wechat, load)
    const ratio = cpu['weapp-session'] / cpu['hand-written']
    bench.figures.login = { ...counts, cpu, ratio }
    return {
      number: 5,
      measured: `${figure(counts.exchanges)}; ${figure(counts.roundTrips)}; ${figure(ratio)} ×`,
      verdict: verdictOf(counts.exchanges === 1 && counts.roundTrips <= 3 && ratio <= 1.5),
    }
  })
}

/** Logins one after the other. The first one is not counted: it loads the scripts. */
async function countOne({ child, url }: OpenLoginServer, wechat: Child) {
  const [first = '', ...codes] = await wechat.ask<string[]>('codes', COUNTED_LOGINS + 1)
  const logInAlone = async (code: string) => {
    await logIn(url, code)
    await child.ask('idle')
  }
  await logInAlone(first)
  const exchangesBefore = await wechat.ask<number>('exchanges')
  const before = await child.ask<{ commands: number; roundTrips: number }>('counts')
  for (const code of codes) await logInAlone(code)
  const after = await child.ask<{ commands: number; roundTrips: number }>('counts')
  return {
    exchanges: ((await wechat.ask<number>('exchanges')) - exchangesBefore) / COUNTED_LOGINS,
    commands: (after.commands - before.commands) / COUNTED_LOGINS,
    roundTrips: (after.roundTrips - before.roundTrips) / COUNTED_LOGINS,
  }
}

async function logIn(url: string, code: string): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ code }) })
  if (!response.ok) throw new Error(`a login failed with ${response.status}: ${await response.text()}`)
}

/** Microseconds a login, over those of the bare route. */
async function measureCpu(
  bench: Bench,
  servers: ReadonlyMap<LoginServer, OpenLoginServer>,
  wechat: Child,
  load: Child,
): Promise<Record<LoginServer, number>> {
  const [rounds, logins] = bench.isQuick ? [3, 160] : [9, 960]
  const samples: Record<LoginServer, number[]> = { bare: [], 'hand-written': [], 'weapp-session': [] }
  // The first round is a warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    bench.progress(`measures logins, round ${round} of ${rounds}`)
    for (const [name, { child, url }] of servers) {
      const codes = await wechat.ask<string[]>('codes', logins)
      const headers = { 'content-type': 'application/json' }
      const shots = codes.map((code) => ({
        method: 'POST' as const,
        headers,
        body: JSON.stringify({ code }),
      }))
      const aim: Load = { name, url, shots }
      await load.ask('aim', aim)
      const before = await child.ask<number>('cpu')
      await load.ask('run', { name, connections: CONNECTIONS, requests: logins })
      if (round > 0) samples[name].push(((await child.ask<number>('cpu')) - before) / logins)
    }
  }
  const added = (name: LoginServer) =>
    median(samples[name].map((sample, round) => sample - (samples.bare[round] ?? Number.NaN)))
  return {
    bare: median(samples.bare),
    'hand-written': added('hand-written'),
    'weapp-session': added('weapp-session'),
  }
}
