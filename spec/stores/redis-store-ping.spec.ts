import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, afterEach, before, describe, it } from 'mocha'
import { RedisStore } from '../../lib/index.js'
import { newAddress } from '../../store-contract/store-under-test.js'
import { failureOf } from '../support/failures.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { loginOf } from '../support/store-calls.js'

describe('the ping of RedisStore', () => {
  let server: RedisServer
  let admin: Redis
  let limited: Redis

  before(async () => {
    server = await startRedisServer()
    admin = new Redis(server.url)
    await allow('+@all')
    limited = new Redis(server.url, { username: 'limited', password: 'secret', enableReadyCheck: false })
  })
  after(async () => {
    limited.disconnect()
    admin.disconnect()
    await server.stop()
  })
  afterEach(() => admin.flushall())

  async function allow(...rules: string[]): Promise<void> {
    await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', '~*', ...rules)
  }

  const logIn = (store: RedisStore) => {
    const { handle, sessionId } = newAddress()
    return store.issue(loginOf(handle, sessionId))
  }

  async function expectBothFail(store: RedisStore, word: RegExp): Promise<void> {
    for (const work of [() => logIn(store), () => store.ping()])
      expect(String(await failureOf(work))).to.match(word)
  }

  async function configured(settings: Record<string, string>, work: () => Promise<void>): Promise<void> {
    const before: [string, string][] = []
    for (const [name, value] of Object.entries(settings)) {
      const [, old = ''] = (await admin.config('GET', name)) as string[]
      before.push([name, old])
      await admin.config('SET', name, value)
    }
    try {
      await work()
    } finally {
      for (const [name, old] of before) await admin.config('SET', name, old)
    }
  }

  it('fails where the memory is full, as a login does', () =>
    configured({ maxmemory: '1' }, () => expectBothFail(new RedisStore(admin), /OOM/)))

  it('fails where too few replicas listen, as a login does', () =>
    configured({ 'min-replicas-to-write': '1' }, () => expectBothFail(new RedisStore(admin), /NOREPLICAS/)))

  it('fails on a replica, as a login does', async () => {
    // Of nobody who answers: while it loaded what a primary has, it would say LOADING.
    const copy = await startRedisServer({ args: ['--replicaof', '127.0.0.1', '1'] })
    const replica = new Redis(copy.url)
    try {
      await expectBothFail(new RedisStore(replica), /READONLY/)
    } finally {
      replica.disconnect()
      await copy.stop()
    }
  })

  for (const command of ['evalsha', 'set', 'time'])
    it(`fails where ${command} is not allowed, as a login does`, async () => {
      await allow('+@all', `-${command}`)
      await expectBothFail(new RedisStore(limited), /NOPERM|can't run this command|permission/)
    })

  it('leaves the moment at which everybody was ended as it is, however many ask at once', async () => {
    const store = new RedisStore(admin)
    await store.revokeBatch({ group: null })
    await store.revokeBatch({ group: 'aaaa' })
    const mark = await admin.get('weapp:all')
    await Promise.all(Array.from({ length: 50 }, () => store.ping()))
    expect([await admin.get('weapp:all'), await admin.pttl('weapp:all')]).to.deep.equal([mark, -1])
  })

  for (const group of [null, 'aaaa'])
    it(`does not weaken an end of ${group ? 'an app' : 'everybody'} that comes in the same moment`, async () => {
      const store = new RedisStore(admin)
      await Promise.all([store.ping(), store.revokeBatch({ group }), store.ping()])
      expect(Number((await admin.get('weapp:all'))?.slice(-16))).to.be.above(0)
      expect(await admin.pttl('weapp:all')).to.equal(-1)
    })
})
