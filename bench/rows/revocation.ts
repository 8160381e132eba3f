import type { Redis } from 'ioredis'
import { type Bench, figure, type Row, verdictOf, withProcesses } from '../bench.js'
import type { Child } from '../child.js'
import { quantile } from '../statistics.js'

const AFTER_LOSS = 100

interface TwoProcesses {
  readonly here: Child
  readonly elsewhere: Child
  readonly redis: Redis
}

/** Row 8: how soon a process with a local cache no longer accepts what another process has ended. */
export async function revocationRow(bench: Bench): Promise<Row> {
  const row = {
    number: 8,
    what: 'Revocation seen by another process, local cache on',
    target: 'p99 ≤ 50 ms; nothing stale once its channel is lost',
  }
  if (!bench.hasLocalCache) return { ...row, measured: '', verdict: 'not there' }
  const count = bench.isQuick ? 200 : 1_000
  return withProcesses(async (start, startRedis) => {
    const { client: redis, server } = await startRedis()
    const [here, elsewhere] = [start('sessions-process'), start('sessions-process')]
    for (const child of [here, elsewhere]) await child.ask('open', { redisUrl: server.url, localCache: true })
    const tokens = await here.ask<string[]>('logIn', count + AFTER_LOSS)
    const processes = { here, elsewhere, redis }
    bench.progress(`revokes ${count} sessions`)
    const delaysMs = await delaysOf(processes, tokens.slice(0, count))
    const lost = await staleAfterLoss(processes, tokens.slice(count))
    const p99 = quantile(delaysMs, 0.99)
    bench.figures.revocation = {
      p50Ms: quantile(delaysMs, 0.5),
      p99Ms: p99,
      mostMs: Math.max(...delaysMs),
      ...lost,
    }
    return {
      ...row,
      measured:
        `p50 ${figure(quantile(delaysMs, 0.5))} ms, p99 ${figure(p99)} ms, at most ${figure(Math.max(...delaysMs))} ms; ` +
        `${lost.stale} of ${AFTER_LOSS} stale after ${lost.killed} connections were killed`,
      verdict: verdictOf(p99 <= 50 && lost.stale === 0 && lost.killed > 0),
    }
  })
}

/** Milliseconds from the acknowledgement of a logout here until the session is refused elsewhere. */
async function delaysOf({ here, elsewhere }: TwoProcesses, tokens: readonly string[]): Promise<number[]> {
  const delays: number[] = []
  for (const token of tokens) {
    await elsewhere.ask('isAlive', token)
    const refusedAt = elsewhere.ask<number>('refusedAt', token)
    const loggedOutAt = await here.ask<number>('logOut', token)
    delays.push(Math.max(0, (await refusedAt) - loggedOutAt))
  }
  return delays
}

/** Kills the connections on which Redis tells of changes, and asks for each session that ends afterwards. */
async function staleAfterLoss({ here, elsewhere, redis }: TwoProcesses, tokens: readonly string[]) {
  for (const token of tokens) await elsewhere.ask('isAlive', token)
  const killed = await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  let stale = 0
  for (const token of tokens) {
    await here.ask('logOut', token)
    if (await elsewhere.ask<boolean>('isAlive', token)) stale += 1
  }
  return { stale, killed: Number(killed) }
}
