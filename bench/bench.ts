import { Redis } from 'ioredis'
import { type RedisServer, startRedisServer } from '../spec/support/redis-server.js'
import { Child } from './child.js'
import type { Figures } from './figures.js'

/** What a row of the table says. */
export interface Row {
  /** Its number in `TARGETS`. */
  readonly number: number
  /** Values in the order of the target; they need no translation. */
  readonly measured: string
  readonly verdict: Verdict
}

/** `not there`: what the row is about does not exist. `too noisy`: what it is compared with disappears in noise. */
export type Verdict = 'met' | 'missed' | 'not there' | 'too noisy'

export function verdictOf(isMet: boolean): Verdict {
  return isMet ? 'met' : 'missed'
}

/** What all rows share. */
export interface Bench {
  readonly isQuick: boolean
  readonly figures: Figures
  /** Shows what is being done. */
  progress(text: string): void
}

/** A redis-server for one measurement, with a client that only looks on. */
export interface OwnRedis {
  readonly server: RedisServer
  readonly client: Redis
}

/** Runs a measurement on a redis-server of its own, and ends that and all processes that it started. */
export async function withProcesses<Result>(
  measure: (start: (name: string) => Child, startRedis: () => Promise<OwnRedis>) => Promise<Result>,
): Promise<Result> {
  const children: Child[] = []
  const redises: OwnRedis[] = []
  try {
    return await measure(
      (name) => {
        const child = new Child(name)
        children.push(child)
        return child
      },
      async () => {
        const server = await startRedisServer()
        const redis = { server, client: new Redis(server.url) }
        redises.push(redis)
        return redis
      },
    )
  } finally {
    await Promise.all(children.map((child) => child.end()))
    for (const { client } of redises) client.disconnect()
    await Promise.all(redises.map(({ server }) => server.stop()))
  }
}
