import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type Bench, type Row, verdictOf, withProcesses } from '../bench.js'
import type { Child } from '../child.js'
import { figure, quantile } from '../statistics.js'

const AFTER_LOSS = 100
const READS = 50
const MOST_TRIES = 50
const PAUSE_MS = 100

interface TwoProcesses {
  readonly here: Child
  readonly elsewhere: Child
  readonly redis: Redis
}

/** Row 8: how soon a process with a local cache no longer accepts what another process has ended. */
export async function revocationRow(bench: Bench): Promise<Row> {
  const count = bench.isQuick ? 200 : 1_000
  return withProcesses(async (start, startRedis) => {
    const { client: redis, server } = await startRedis()
    const [here, elsewhere] = [start('sessions-process'), start('sessions-process')]
    for (const child of [here, elsewhere]) await child.ask('open', { redisUrl: server.url, localCache: true })
    const tokens = await here.ask<string[]>('logIn', count + AFTER_LOSS)
    const processes = { here, elsewhere, redis }
    await untilCached(processes, tokens[0] ?? '')
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
      number: 8,
      measured: `${figure(p99)} ms; ${lost.stale} of ${AFTER_LOSS}`,
      verdict: verdictOf(p99 <= 50 && lost.stale === 0 && lost.killed > 0),
    }
  })
}

/** Waits until the other process asks Redis no more: without a cache there is nothing to measure. */
async function untilCached({ elsewhere, redis }: TwoProcesses, token: string): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const before = await commandsOf(redis)
    for (let reads = 0; reads < READS; reads += 1) await elsewhere.ask('isAlive', token)
    if ((await commandsOf(redis)) - before < READS / 2) return
    await delay(PAUSE_MS)
  }
  throw new Error('the local cache keeps nothing')
}

async function commandsOf(redis: Redis): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1])
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
