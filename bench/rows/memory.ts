import type { Redis } from 'ioredis'
import { type Bench, type Row, verdictOf, withProcesses } from '../bench.js'
import type { PeerName } from '../peers/all.js'
import { figure } from '../statistics.js'

const AT_ONCE = 5_000

/** Row 6: the bytes of a session in Redis. */
export async function memoryRow(bench: Bench): Promise<Row> {
  const users = bench.isQuick ? 5_000 : 100_000
  const theirs = await bytesOf(bench, 'express-session + connect-redis', users, 1)
  const ours = await bytesOf(bench, 'weapp-session', users, 2)
  const [first = Number.NaN, second = Number.NaN] = ours
  const [their = Number.NaN] = theirs
  bench.figures.bytes = { users, first, second, theirs: their }
  const ratios = { first: first / their, second: second / first }
  return {
    number: 6,
    measured: `${figure(first)} B, ${figure(ratios.first)} ×; ${figure(second)} B, ${figure(ratios.second)} ×`,
    verdict: verdictOf(ratios.first <= 1 && ratios.second <= 0.6),
  }
}

/** Bytes that the first session of a user takes, then those of each further one. */
async function bytesOf(bench: Bench, name: PeerName, users: number, sessions: number): Promise<number[]> {
  return withProcesses(async (start, startRedis) => {
    const { client, server } = await startRedis()
    const keeper = start('server')
    await keeper.ask('open', { name, redisUrl: server.url })
    const bytes: number[] = []
    let before = await usedMemory(client)
    for (let session = 1; session <= sessions; session += 1) {
      for (let from = 0; from < users; from += AT_ONCE) {
        bench.progress(`fills Redis by ${name}, session ${session}: ${from} of ${users} users`)
        if (session === 1) await keeper.ask('logIn', AT_ONCE)
        else await keeper.ask('logInAgain', { from, count: AT_ONCE })
        await dropCodes(client)
      }
      const now = await usedMemory(client)
      bytes.push((now - before) / users)
      before = now
    }
    return bytes
  })
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1])
}

/** What is kept of used login codes would go by itself, after five minutes. */
async function dropCodes(redis: Redis): Promise<void> {
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', 'weapp:value:*', 'COUNT', 2_000)
    if (keys.length > 0) await redis.del(...keys)
    cursor = next
  } while (cursor !== '0')
}
