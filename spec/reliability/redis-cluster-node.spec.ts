import { expect } from 'chai'
import { Cluster } from 'ioredis'
import { after, afterEach, before, describe, it } from 'mocha'
import { RedisStore, type SessionAddress, type SessionStore } from '../../lib/index.js'
import { guardStore } from '../../lib/sessions/guarded-store.js'
import { storeUnderTest } from '../../store-contract/store-under-test.js'
import { slotOf } from '../support/hash-slot.js'
import { keptLog } from '../support/log-lines.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { until } from '../support/until.js'
import { RedisPath } from './redis-path.js'

const USERS = 60
const SLOTS = 16_384
const MASTERS = 3

describe('a connection to one master of a Redis Cluster that is lost without being closed', () => {
  let cluster: RedisCluster
  let paths: RedisPath[]
  let client: Cluster
  let store: Required<SessionStore>
  const { issue } = storeUnderTest(Date.now, () => store)

  before(async function () {
    this.timeout(60_000)
    cluster = await startRedisCluster()
  })
  after(() => cluster.stop())
  afterEach(async () => {
    client.disconnect()
    await Promise.all(paths.map((path) => path.close()))
  })

  async function open(redisOptions: { readonly commandTimeout?: number }): Promise<void> {
    paths = await Promise.all(cluster.nodes.map(({ port }) => RedisPath.open(port)))
    const near = paths.map(({ port }) => ({ host: '127.0.0.1', port }))
    const natMap = Object.fromEntries(
      cluster.nodes.map(({ host, port }, index) => [`${host}:${port}`, near[index] ?? { host, port }]),
    )
    client = new Cluster(near, { natMap, redisOptions })
    client.on('error', () => undefined)
    const parts = { timeoutMs: 500, clock: Date.now, logger: keptLog() }
    store = guardStore({ store: new RedisStore(client), ...parts })
  }

  const masterOf = (key: string) => Math.floor((slotOf(key) * MASTERS) / SLOTS)
  /** Not the one that has what everybody needs. */
  const dead = (masterOf('weapp:all') + 1) % MASTERS
  const isLost = ({ handle }: SessionAddress) => masterOf(`weapp:{${handle}}`) === dead

  for (const [whose, redisOptions] of [
    ['a client of default settings', {}],
    ['a client that gives up a command before the store does', { commandTimeout: 300 }],
  ] as const)
    it(`is given up, and users of the other masters notice nothing: ${whose}`, async () => {
      await open(redisOptions)
      const logins = await Promise.all(Array.from({ length: USERS }, () => issue()))
      const addresses = logins.map(({ address }) => address)
      const [lost, others] = [addresses.filter(isLost), addresses.filter((each) => !isLost(each))]
      const read = (these: readonly SessionAddress[]) =>
        Promise.allSettled(these.map((address) => store.read(address)))
      const areFound = (results: PromiseSettledResult<unknown>[]) =>
        results.every((result) => result.status === 'fulfilled' && result.value !== null)

      paths[dead]?.kill()
      let rounds = 0
      const refused: unknown[] = []
      await until(async () => {
        rounds += 1
        const ofLost = read(lost)
        for (let times = 0; times < 5; times += 1) {
          const results = await read(others)
          refused.push(...results.filter((result) => result.status === 'rejected'))
        }
        return areFound(await ofLost)
      })
      expect(rounds).to.be.above(1)
      expect(refused).to.deep.equal([])
    })
})
