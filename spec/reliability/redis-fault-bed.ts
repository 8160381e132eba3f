import { expect } from 'chai'
import { Redis } from 'ioredis'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { type AppJob, RedisAppProcess } from './redis-app-process.js'
import { type Answers, RedisLoad } from './redis-load.js'
import { RedisPath } from './redis-path.js'

const WORKERS = 16
/** Far more than the requests under way can need, and far fewer than those of an outage. */
const MOST_OUTSTANDING = 150
const MOST_GROWTH_BYTES = 16_000_000

/** A Redis that keeps its data, an app server in a process of its own, and users. */
export interface RedisFaultBed {
  readonly server: RedisServer
  /** A client of the server itself, for what an operator does. */
  readonly operator: Redis
  readonly path: RedisPath
  readonly load: RedisLoad
  readonly app: RedisAppProcess
  /**
   * Has a fault under load, then waits until all works again, and expects that no acknowledged session was
   * lost or revived, that nothing hung, that commands did not pile up, and that memory did not grow. Returns
   * what was answered while the fault was on, and what was logged. It is on until there are answers of all
   * `kinds`.
   */
  during(
    fault: () => Promise<void>,
    end?: () => Promise<void> | void,
    kinds?: readonly string[],
  ): Promise<Told>
  close(): Promise<void>
}

export interface Told {
  readonly answers: Answers
  readonly log: readonly string[]
}

/** How long things took, for who wants to know: no spec judges it. */
const tellTimes = process.env.TELL_TIMES === '1'

export async function openRedisFaultBed(
  client: AppJob['client'],
  { overPath }: { overPath: boolean },
): Promise<RedisFaultBed> {
  const server = await startRedisServer({ keepData: true })
  const operator = new Redis(server.url, { retryStrategy: () => 50, maxRetriesPerRequest: null })
  operator.on('error', () => undefined)
  const path = await RedisPath.open(server.port)
  const app = await RedisAppProcess.start({ redisPort: overPath ? path.port : server.port, client })
  const load = new RedisLoad(app.url)
  await load.begin(WORKERS)
  await load.end()
  const { heapBytes: heapBefore } = await app.usage()

  async function during(
    fault: () => Promise<void>,
    end: () => Promise<void> | void = () => undefined,
    kinds: readonly string[] = [],
  ) {
    await load.begin(WORKERS)
    load.takeAnswers()
    await fault()
    await load.answered(kinds)
    const { outstanding, log: logBefore } = await app.usage()
    const answers = load.takeAnswers()
    await end()
    const endedAt = performance.now()
    await until(() => load.works())
    const backMs = performance.now() - endedAt
    await load.end()
    const { alive, ended } = await load.checkAll()
    const { heapBytes, log: logAfter } = await app.usage()
    const log = [...logBefore, ...logAfter]
    if (tellTimes) {
      const grownMb = (heapBytes - heapBefore) / 1e6
      const figures = { backMs: Math.round(backMs), outstanding, grownMb: Math.round(grownMb), alive, ended }
      process.stdout.write(`${JSON.stringify({ ...figures, answers, log })}\n`)
    }
    expect([...load.findings]).to.deep.equal([])
    expect(alive).to.be.above(10)
    expect(ended).to.be.above(10)
    expect(outstanding).to.be.below(MOST_OUTSTANDING)
    expect(heapBytes - heapBefore).to.be.below(MOST_GROWTH_BYTES)
    return { answers, log }
  }

  return {
    server,
    operator,
    path,
    load,
    app,
    during,
    async close() {
      await load.end()
      load.close()
      await app.stop()
      operator.disconnect()
      await path.close()
      await server.stop()
    },
  }
}
