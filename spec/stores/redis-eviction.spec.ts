import { expect } from 'chai'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { evictionPolicyIn } from '../../lib/stores/redis-eviction.js'
import { type KeptStderr, keepStderr } from '../support/kept-stderr.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'
import { until } from '../support/until.js'

const WARNING =
  'weapp-session: Redis may log users out: its maxmemory-policy is allkeys-lru, and should be noeviction\n'

describe('the policy by which Redis evicts', () => {
  const info = (maxmemory: number, policy: string) =>
    `# Memory\r\nused_memory:1\r\nmaxmemory:${maxmemory}\r\nmaxmemory_human:1M\r\nmaxmemory_policy:${policy}\r\n`

  it('is what INFO says', () => {
    expect(evictionPolicyIn(info(1000, 'volatile-lru'))).to.equal('volatile-lru')
  })

  for (const [what, reply] of [
    ['it evicts nothing', info(1000, 'noeviction')],
    ['it has no limit', info(0, 'allkeys-lru')],
    ['INFO does not say', '# Server\r\nredis_version:7.0.15\r\n'],
    ['INFO says what no policy is', info(1000, 'x'.repeat(31))],
    ['the reply is no text', ['maxmemory:1']],
  ] as const)
    it(`is none where ${what}`, () => {
      expect(evictionPolicyIn(reply)).to.equal(undefined)
    })
})

describe('RedisStore, when Redis evicts keys', () => {
  let stderr: KeptStderr
  let server: RedisServer
  let operator: Redis
  let client: Redis

  before(async () => {
    server = await startRedisServer({ args: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'] })
    operator = new Redis(server.url)
  })
  after(async () => {
    operator.disconnect()
    await server.stop()
  })
  beforeEach(() => {
    stderr = keepStderr()
  })
  afterEach(() => {
    stderr.end()
    client.disconnect()
  })

  for (const [version, Client] of [
    ['ioredis 6', Redis],
    ['ioredis 5', Redis5 as unknown as typeof Redis],
  ] as const)
    it(`warns of it as soon as the client is connected, and once a minute: ${version}`, async () => {
      client = new Client(server.url, { retryStrategy: () => 1 })
      for (const prefix of ['one:', 'another:']) new RedisStore(client, { prefix })
      await until(() => stderr.lines.length > 0)
      for (let times = 0; times < 3; times += 1) {
        client.disconnect(true)
        await until(() => client.status !== 'ready')
        await until(() => client.status === 'ready')
      }
      await client.ping()
      expect(stderr.lines).to.deep.equal([WARNING])
    })

  it('warns of it where the client was connected before there was a store', async () => {
    client = new Redis(server.url)
    await client.ping()
    new RedisStore(client)
    await until(() => stderr.lines.length > 0)
    expect(stderr.lines).to.deep.equal([WARNING])
  })

  it('says nothing where it may not ask, and goes on', async () => {
    await operator.call('ACL', 'SETUSER', 'limited', 'reset', 'on', 'nopass', '~*', '+@all', '-info')
    client = new Redis(server.url, { username: 'limited', password: 'any', enableReadyCheck: false })
    const rejections = await unhandledRejectionsDuring(async () => {
      await new RedisStore(client).ping()
      await client.ping()
    })
    expect(rejections).to.deep.equal([])
    expect(stderr.lines).to.deep.equal([])
  })
})
