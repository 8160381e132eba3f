import { expect } from 'chai'
import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { newAddress } from '../../store-contract/store-under-test.js'
import { failureOf } from '../support/failures.js'
import { numberInSlot } from '../support/hash-slot.js'
import { type KeptStderr, keepStderr } from '../support/kept-stderr.js'
import { firstSlotOf } from '../support/moving-cluster.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { connectMasters, type Master, SlotOnTheMove } from '../support/slot-on-the-move.js'
import { loginOf } from '../support/store-calls.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const REFUSED = 'weapp-session: the connection to Redis fails: ReplyError (NOPERM in asking)\n'
const USER = { username: 'limited', password: 'any' }

const clients = { 'ioredis 6': Cluster, 'ioredis 5': Cluster5 as unknown as typeof Cluster }

describe('ASKING, which a Cluster client sends while a slot moves', function () {
  this.timeout(60_000)

  let stderr: KeptStderr
  const opened: Cluster[] = []
  let servers: RedisCluster
  let masters: Master[]
  let firstSlot: number
  let moves = 0

  before(async () => {
    servers = await startRedisCluster()
    masters = await connectMasters(servers.nodes)
    for (const { client } of masters) {
      client.on('error', () => undefined)
      await client.call('ACL', 'SETUSER', USER.username, 'on', 'nopass', '~*', '+@all', '-asking')
    }
    firstSlot = await firstSlotOf(masters[1])
  })
  after(async () => {
    for (const { client } of masters) client.disconnect()
    await servers.stop()
  })
  beforeEach(() => {
    stderr = keepStderr()
  })
  afterEach(() => {
    stderr.end()
    for (const client of opened.splice(0)) client.disconnect()
  })

  /** A session that has gone ahead of its slot to the first of the masters. */
  async function openCarried(Client: typeof Cluster, redisOptions: object = {}) {
    const [target, source] = masters as [Master, Master]
    const client = new Client(servers.nodes, { redisOptions })
    opened.push(client)
    moves += 1
    const slot = firstSlot + moves
    const address = newAddress(`user-${numberInSlot(slot, 'user-')}`)
    const store = new RedisStore(client)
    await store.issue(loginOf(address.handle, address.sessionId))
    const move = new SlotOnTheMove(slot, source, target, masters)
    await move.begin()
    await move.carry()
    return { move, read: () => store.read(address) }
  }

  for (const [version, Client] of Object.entries(clients))
    it(`does not end the process where it is refused, and the log says why: ${version}`, async () => {
      const { move, read } = await openCarried(Client, USER)
      expect(await unhandledRejectionsDuring(() => failureOf(read))).to.deep.equal([])
      expect(stderr.lines).to.deep.equal([REFUSED])
      await move.finish()
      expect(await read()).to.not.equal(null)
    })

  it('does not end the process where the server to which the slot moves is lost', async () => {
    const carried = await Promise.all(Object.values(clients).map((Client) => openCarried(Client)))
    await servers.masters.find(({ port }) => port === masters[0]?.port)?.kill()
    const reads = () => Promise.all(carried.map(({ read }) => failureOf(read)))
    expect(await unhandledRejectionsDuring(reads)).to.deep.equal([])
  })
})
