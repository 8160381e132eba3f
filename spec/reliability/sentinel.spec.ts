import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, afterEach, before, describe, it } from 'mocha'
import { follow, roleOf } from '../support/redis-replica.js'
import { startWatchedRedis, type WatchedRedis } from '../support/redis-sentinel.js'
import type { RedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'
import { type Damage, FailoverLoad } from './failover-load.js'

const NO_DAMAGE: Damage = { lost: 0, revived: 0, wrong: {} }
/** Short, so that a failover takes seconds, and long enough for a machine that has much to do. */
const DOWN_AFTER_MS = 1_000
/** Longer than a failover takes on any machine. */
const PAUSE_MS = 60_000

describe('under three Sentinels, a primary with two replicas', function () {
  this.timeout(120_000)

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

  async function tell(server: RedisServer, command: string, ...args: (string | number)[]): Promise<void> {
    const client = new Redis(server.url)
    await client.call(command, ...args)
    client.disconnect()
  }

  /** A Sentinel does that, some ten seconds later. */
  const becomesReplica = (server: RedisServer) =>
    until(async () => (await roleOf(server)) === 'slave', 60_000)

  const anotherThan = (primary: RedisServer) => until(async () => (await redis.primary()) !== primary, 60_000)

  it('loses and undoes nothing in a planned failover, where both replicas are awaited', async () => {
    await beginWith(2)
    await redis.failOver()
    await expectNoDamage()
  })

  it('loses and undoes nothing in a planned failover before which the primary stops to write', async () => {
    const primary = await beginWith(1)
    await tell(primary, 'CLIENT', 'PAUSE', PAUSE_MS, 'WRITE')
    await redis.failOver()
    await load.serves()
    // It also keeps the Sentinels from making it a replica.
    await tell(primary, 'CLIENT', 'UNPAUSE')
    await becomesReplica(primary)
    await expectNoDamage()
  })

  it('loses and undoes nothing when the primary hangs, and comes back as one that does not know', async () => {
    const primary = await beginWith(1)
    primary.pause()
    await anotherThan(primary)
    await load.serves()
    primary.resume()
    await becomesReplica(primary)
    await expectNoDamage()
  })

  it('loses and undoes nothing when the primary is killed', async () => {
    const primary = await beginWith(1)
    await primary.kill()
    await anotherThan(primary)
    await expectNoDamage()
    await primary.restart()
    await follow(primary, await redis.primary())
  })

  it('loses and undoes nothing when a replica is cut off, and then the primary killed', async () => {
    const primary = await beginWith(1)
    const [cutOff, other] = redis.servers.filter((server) => server !== primary) as [RedisServer, RedisServer]
    // Nobody listens there. The Sentinels mend it, but not at once.
    await tell(cutOff, 'REPLICAOF', '127.0.0.1', 1)
    await load.serves()
    await redis.knowsBehind(cutOff, other)
    await primary.kill()
    await anotherThan(primary)
    await expectNoDamage()
  })
})
