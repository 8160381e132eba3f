import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, afterEach, before, describe, it } from 'mocha'
import { roleOf } from '../support/redis-replica.js'
import { startWatchedRedis, type WatchedRedis } from '../support/redis-sentinel.js'
import type { RedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { type Damage, FailoverLoad } from './failover-load.js'

const NO_DAMAGE: Damage = { lost: 0, revived: 0, wrong: {} }
/** Short, so that a failover takes seconds, and long enough for a machine that has much to do. */
const DOWN_AFTER_MS = 1_000
const PAUSE_MS = 5_000

describe('under three Sentinels, a primary with two replicas', function () {
  this.timeout(60_000)

  let redis: WatchedRedis
  let load: FailoverLoad

  before(async () => {
    const durable = ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '5']
    const options = { replicas: 2, sentinels: 3, downAfterMs: DOWN_AFTER_MS }
    redis = await startWatchedRedis({ ...options, args: ['--repl-diskless-sync-delay', '0', ...durable] })
  })
  afterEach(async () => {
    for (const server of redis.servers) server.resume()
    await load.close()
  })
  after(() => redis.stop())

  /** Begins the load, and returns the primary. */
  async function beginWith(waitReplicas: number): Promise<RedisServer> {
    const { sentinels, name } = redis
    load = await FailoverLoad.start({ redis: { sentinels, name }, waitReplicas })
    load.begin()
    await load.serves()
    return redis.primary()
  }

  /** Expects that the service returns by itself, with all that was acknowledged before and since. */
  async function expectNoDamage(): Promise<void> {
    await load.serves()
    await until(() => Math.min(load.acknowledged.alive, load.acknowledged.ended) > 10)
    expect(await load.stop()).to.deep.equal(NO_DAMAGE)
  }

  const anotherThan = (primary: RedisServer) => until(async () => (await redis.primary()) !== primary, 30_000)

  it('loses and undoes nothing in a planned failover, where both replicas are awaited', async () => {
    await beginWith(2)
    await redis.failOver()
    await expectNoDamage()
  })

  it('loses and undoes nothing in a planned failover before which the primary stops to write', async () => {
    const primary = await beginWith(1)
    const operator = new Redis(primary.url)
    await operator.client('PAUSE', PAUSE_MS, 'WRITE')
    await redis.failOver()
    operator.disconnect()
    await expectNoDamage()
  })

  it('loses and undoes nothing when the primary hangs, and comes back as one that does not know', async () => {
    const primary = await beginWith(1)
    primary.pause()
    await anotherThan(primary)
    await load.serves()
    primary.resume()
    await until(async () => (await roleOf(primary)) === 'slave', 30_000)
    await expectNoDamage()
  })
})
