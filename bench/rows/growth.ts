import type { Redis } from 'ioredis'
import { type Bench, type Row, verdictOf, withProcesses } from '../bench.js'
import type { Child } from '../child.js'
import type { Latencies } from '../sessions-process.js'
import { figure, median } from '../statistics.js'

const FEW = 1_000
/**
 * Users of the large Redis that log in and are asked for, the others are copies of one of them: as many as
 * in the small one, as the first request of a user in a process takes an HMAC more.
 */
const ASKED = 1_000
const AT_ONCE = 10_000

/** Writes users with the value of another one, under handles of the same app. */
const COPY = `
local text, ms = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  redis.call('SET', ARGV[1] .. string.sub(redis.sha1hex(number), 1, 16) .. '}', text, 'PX', ms)
end
return redis.call('DBSIZE')
`

/** Row 7: whether it matters how many sessions there are. */
export async function growthRow(bench: Bench): Promise<Row> {
  const many = bench.isQuick ? 100_000 : 3_000_000
  return withProcesses(async (start, startRedis) => {
    const [small, large] = [await startRedis(), await startRedis()]
    const processes = [start('sessions-process'), start('sessions-process')] as const
    const [few, asked] = processes
    await few.ask('open', { redisUrl: small.server.url, localCache: false })
    await asked.ask('open', { redisUrl: large.server.url, localCache: false })
    await few.ask('logIn', FEW)
    await asked.ask('logIn', bench.isQuick ? 1_000 : ASKED)
    await copyUsers(bench, large.client, many)
    const found = await compare(bench, few, asked)
    const growth = (name: keyof Latencies) => found.many[name] / found.few[name]
    bench.figures.growth = { sessions: [FEW, many], ...found }
    const change = (name: keyof Latencies) =>
      `${figure(found.few[name])} → ${figure(found.many[name])} µs, ${figure(growth(name))} ×`
    return {
      number: 7,
      measured: `${change('authenticate')}; ${change('list')}; ${change('revokeUser')}`,
      verdict: verdictOf(
        growth('authenticate') <= 1.1 && growth('list') <= 1.25 && growth('revokeUser') <= 1.25,
      ),
    }
  })
}

async function copyUsers(bench: Bench, redis: Redis, count: number): Promise<void> {
  const [, keys] = await redis.scan('0', 'MATCH', 'weapp:{*', 'COUNT', 1_000)
  const [key = ''] = keys
  const beginning = key.slice(0, key.indexOf('{') + 5)
  let users = await redis.dbsize()
  for (let from = 0; users < count; from += AT_ONCE) {
    if (from % 100_000 === 0) bench.progress(`fills Redis: ${users} of ${count} users`)
    users = Number(
      await redis.eval(COPY, 1, key, beginning, from, from + Math.min(AT_ONCE, count - users) - 1),
    )
  }
}

/** Medians of rounds in which both are asked in turn. */
async function compare(bench: Bench, few: Child, many: Child): Promise<{ few: Latencies; many: Latencies }> {
  const [rounds, calls] = bench.isQuick ? [5, 200] : [15, 500]
  const samples: { few: Latencies; many: Latencies }[] = []
  for (let round = 0; round <= rounds; round += 1) {
    bench.progress(`measures growth, round ${round} of ${rounds}`)
    const sample = {
      few: await few.ask<Latencies>('latencies', calls),
      many: await many.ask<Latencies>('latencies', calls),
    }
    // The first round is a warm-up.
    if (round > 0) samples.push(sample)
  }
  const middle = (of: 'few' | 'many', name: keyof Latencies) =>
    median(samples.map((sample) => sample[of][name]))
  const all = (of: 'few' | 'many') => ({
    authenticate: middle(of, 'authenticate'),
    list: middle(of, 'list'),
    revokeUser: middle(of, 'revokeUser'),
  })
  return { few: all('few'), many: all('many') }
}
