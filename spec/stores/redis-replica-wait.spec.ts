import { expect } from 'chai'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { RedisStore, type RedisStoreOptions } from '../../lib/index.js'
import { storeContract } from '../../store-contract/index.js'
import { HOUR, newAddress, newHandle, newId, storeUnderTest } from '../../store-contract/store-under-test.js'
import { commandCalls } from '../support/command-calls.js'
import { failureOf } from '../support/failures.js'
import { freshPrefix, recordCommands } from '../support/redis-client.js'
import { follow } from '../support/redis-replica.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'

const WITHIN_MS = 1_000
const TOO_FEW = 'StoreFailure: a change was made, but only 0 of 1 replicas have it: a failover may undo it'

describe('RedisStore that waits for replicas', () => {
  let primary: RedisServer
  let replica: RedisServer
  let redis: Redis
  let operator: Redis
  let store: RedisStore
  const others: { disconnect(): void }[] = []
  const { entry, issue } = storeUnderTest(Date.now, () => store)

  before(async () => {
    const servers = await Promise.all([startRedisServer(), startRedisServer()])
    primary = servers[0]
    replica = servers[1]
    await follow(replica, primary)
    operator = new Redis(primary.url)
  })
  after(async () => {
    operator.disconnect()
    await Promise.all([primary.stop(), replica.stop()])
  })
  beforeEach(() => {
    redis = new Redis(primary.url, { maxRetriesPerRequest: 1 })
    store = storeWith({})
  })
  afterEach(async () => {
    replica.resume()
    redis.disconnect()
    for (const client of others.splice(0)) client.disconnect()
    await until(async () => Number(await operator.call('WAIT', 1, 100)) === 1)
  })

  /** A client that is closed after the test. */
  function opened<Client extends { disconnect(): void }>(client: Client): Client {
    others.push(client)
    return client
  }

  /** Cuts the connection on which a change waits for the replica, as soon as one does. */
  async function cutWaiting(): Promise<void> {
    const waiting = async () => /^id=(\d+) .* cmd=wait /m.exec(String(await operator.client('LIST')))
    await until(async () => (await waiting()) !== null)
    await operator.client('KILL', 'ID', Number((await waiting())?.[1]))
  }

  function storeWith(options: RedisStoreOptions): RedisStore {
    return new RedisStore(redis, { prefix: freshPrefix(), waitReplicas: 1, ...options })
  }

  for (const { name, run } of storeContract({ createStore: () => storeWith({}) })) it(name, run)

  /** What a caller is told of: it must not be undone. */
  const awaited: Record<string, (own: RedisStore) => Promise<unknown>> = {
    issue: (own) => own.issue(entry(), WITHIN_MS),
    revoke: (own) => own.revoke(newAddress(), WITHIN_MS),
    revokeUser: (own) => own.revokeUser(newHandle(), '', WITHIN_MS),
    writeUserInfo: (own) => own.writeUserInfo(newHandle(), '{}', HOUR, WITHIN_MS),
    rewrite: (own) => own.rewrite(newHandle(), [{ sessionId: newId(), from: 'a', to: 'b' }], WITHIN_MS),
    'the first step of revokeBatch': (own) => own.revokeBatch({ group: null }, WITHIN_MS),
    'replaceValue that must last': (own) =>
      own.replaceValue({ id: newId(), from: null, to: 'a', keepMs: HOUR, mustLast: true }, WITHIN_MS),
    ping: (own) => own.ping(),
  }
  it('fails what a caller is told of while no replica answers, and says what that means', async () => {
    const stores = Object.keys(awaited).map(() => storeWith({}))
    await Promise.all(stores.map((own) => own.ping()))
    replica.pause()
    const failures = Object.entries(awaited).map(async ([name, call], at) => {
      const error = await failureOf(() => call(stores[at] as RedisStore))
      return [name, String(error)]
    })
    expect(Object.fromEntries(await Promise.all(failures))).to.deep.equal(
      Object.fromEntries(Object.keys(awaited).map((name) => [name, TOO_FEW])),
    )
    await Promise.all(stores.map((own) => own.close()))
  })

  it('goes on with all else while no replica answers', async () => {
    const { address, endsAt } = await issue()
    const { next = '' } = await store.revokeBatch({ group: 'none' })
    replica.pause()
    const done = await Promise.all([
      store.read(address),
      store.readUser(address.handle),
      store.touch(address, { sessionDurationMs: HOUR, endsBy: endsAt }, WITHIN_MS),
      store.addToValue({ id: newId(), add: 1, keepMs: HOUR }, WITHIN_MS),
      store.replaceValue({ id: newId(), from: null, to: 'a', keepMs: HOUR }, WITHIN_MS),
      store.readValue(newId()),
      store.revokeBatch({ group: 'none', cursor: next }, WITHIN_MS),
    ])
    expect(done[0]).to.include({ sessionId: address.sessionId })
  })

  it('does not let requests that read wait behind a login that does', async () => {
    const { address } = await issue()
    replica.pause()
    const login = failureOf(() => store.issue(entry(), 2_000))
    const isWaiting = async () => String(await operator.client('LIST')).includes('cmd=wait')
    await until(isWaiting)
    expect(await store.read(address)).to.include({ sessionId: address.sessionId })
    expect(await isWaiting()).to.equal(true)
    await login
  })

  it('makes the change on the primary, so that it may live on', async () => {
    const mine = entry()
    await store.ping()
    replica.pause()
    await failureOf(() => store.issue(mine, WITHIN_MS))
    expect(await store.read(mine.address)).to.include({ sessionId: mine.address.sessionId })
  })

  it('acknowledges a logout that is repeated only when replicas have the first one, too', async () => {
    const { address } = await issue()
    const elsewhere = opened(new Redis(primary.url))
    await store.ping()
    replica.pause()
    await failureOf(() => store.revoke(address, WITHIN_MS))
    await operator.config('RESETSTAT')
    const other = new RedisStore(elsewhere, { waitReplicas: 1 })
    expect(String(await failureOf(() => other.revoke(address, WITHIN_MS)))).to.include(TOO_FEW)
    replica.resume()
    expect(await other.revoke(address, 5_000)).to.equal(false)
    // `WAIT` is about the last write of its connection, so there must be one.
    expect((await commandCalls(operator)).set).to.be.at.least(2)
  })

  for (const [version, connect] of [
    ['ioredis 6', (url: string) => new Redis(url)],
    ['ioredis 5', (url: string) => new Redis5(url)],
  ] as const) {
    it(`acknowledges nothing whose connection was lost before the replicas had it, with ${version}`, async () => {
      const client = opened(connect(primary.url))
      const mine = new RedisStore(client, { prefix: freshPrefix(), waitReplicas: 1 })
      await mine.ping()
      replica.pause()
      const login = failureOf(() => mine.issue(entry(), 5_000))
      await cutWaiting()
      // On the next connection WAIT would find nothing to wait for.
      await until(async () => /cmd=(?:client|info|hello)/.test(String(await operator.client('LIST'))))
      replica.resume()
      expect(String(await login)).to.include('aborted')
    })
  }

  it('says how many replicas there are where they are too few', async () => {
    const mine = storeWith({ waitReplicas: 2 })
    expect(String(await failureOf(() => mine.issue(entry(), WITHIN_MS)))).to.equal(
      'StoreFailure: a change was made, but only 1 of 2 replicas have it: a failover may undo it. ' +
        'Redis has 1 in all: bring back the others, or lower waitReplicas',
    )
  })

  it('gives up before the client takes the connection for a dead one', async () => {
    const client = opened(new Redis(primary.url, { socketTimeout: 400, maxRetriesPerRequest: 1 }))
    const mine = new RedisStore(client, { prefix: freshPrefix(), waitReplicas: 1 })
    await mine.ping()
    replica.pause()
    expect(String(await failureOf(() => mine.revokeBatch({ group: null }, 5_000)))).to.equal(TOO_FEW)
  })

  it('makes its first change through a client that queues nothing while it connects', async () => {
    const client = opened(new Redis(primary.url, { enableOfflineQueue: false }))
    await until(async () => client.status === 'ready')
    const mine = new RedisStore(client, { prefix: freshPrefix(), waitReplicas: 1 })
    expect((await mine.issue(entry(), WITHIN_MS)).state).to.equal('issued')
  })

  it('opens another connection where its own is lost, and the client opens none again', async () => {
    const client = opened(new Redis(primary.url, { retryStrategy: () => null }))
    const mine = new RedisStore(client, { prefix: freshPrefix(), waitReplicas: 1 })
    await mine.ping()
    replica.pause()
    const login = failureOf(() => mine.issue(entry(), 5_000))
    await cutWaiting()
    await login
    replica.resume()
    expect((await mine.issue(entry(), 5_000)).state).to.equal('issued')
  })

  it('costs a request that reads no more than before', async () => {
    const { address } = await issue()
    await store.read(address)
    await operator.config('RESETSTAT')
    for (let n = 0; n < 20; n += 1) await store.read(address)
    const { mget, wait, set, evalsha = 0 } = await commandCalls(operator)
    expect([mget, wait, set]).to.deep.equal([20, undefined, undefined])
    expect(evalsha).to.be.at.most(2)
  })

  it('makes a change, confirms it and waits in one round trip', async () => {
    await issue()
    await operator.config('RESETSTAT')
    await issue()
    const { evalsha, eval: confirmations, wait } = await commandCalls(operator)
    expect([evalsha, confirmations, wait]).to.deep.equal([1, 1, 1])
  })

  it('leaves nothing behind that only confirms', async () => {
    const own = `${freshPrefix()}own:`
    const mine = storeWith({ prefix: own })
    await mine.revoke(newAddress())
    await mine.ping()
    await until(async () => (await operator.keys(`${own}*`)).length === 0)
  })

  it('writes nothing for those who come too late behind one that waits', async () => {
    await store.ping()
    replica.pause()
    await operator.config('RESETSTAT')
    const waiting = failureOf(() => store.issue(entry(), WITHIN_MS))
    await until(async () => String(await operator.client('LIST')).includes('cmd=wait'))
    const late = Array.from({ length: 20 }, () => failureOf(() => store.issue(entry(), 20)))
    await waiting
    replica.resume()
    const failures = new Set((await Promise.all(late)).map(String))
    expect([...failures]).to.deep.equal(['StoreFailure: a change came too late, and was not made'])
    expect((await commandCalls(operator)).set).to.equal(2)
  })

  it('opens its connection with the first change, and closes it', async () => {
    const connections = async () =>
      String(await operator.client('LIST'))
        .trim()
        .split('\n').length
    await redis.ping()
    const before = await connections()
    await store.readUser(newHandle())
    expect(await connections()).to.equal(before)
    await issue()
    expect(await connections()).to.equal(before + 1)
    await store.close()
    await until(async () => (await connections()) === before)
    await issue()
    redis.disconnect()
    await until(async () => (await connections()) === before - 1)
    expect(String(await failureOf(() => issue()))).to.include('Connection is closed')
  })

  describe('where there is no WAIT', () => {
    it('says so at the first ping', async () => {
      const server = await startRedisServer({ args: ['--rename-command', 'WAIT', ''] })
      const client = new Redis(server.url)
      const error = await failureOf(() => new RedisStore(client, { waitReplicas: 1 }).ping())
      client.disconnect()
      await server.stop()
      expect(error).to.include({ name: 'StoreFailure' })
      expect(String(error)).to.include('waitReplicas needs the command WAIT')
    })

    it('says so where the user has no right to it', async () => {
      const rules = 'on >password ~* +@all -wait'
      await operator.call('ACL', 'SETUSER', 'nowait', ...rules.split(' '))
      const client = new Redis(primary.url, { username: 'nowait', password: 'password' })
      const error = await failureOf(() => new RedisStore(client, { waitReplicas: 1 }).ping())
      client.disconnect()
      await operator.call('ACL', 'DELUSER', 'nowait')
      expect(String(error)).to.include('waitReplicas needs the command WAIT')
    })
  })

  for (const wrong of [-1, 1.5, '1', Number.NaN, 101]) {
    it(`refuses waitReplicas: ${String(wrong)} as a ${typeof wrong}`, () => {
      const options = { waitReplicas: wrong } as RedisStoreOptions
      expect(() => new RedisStore(redis, options)).to.throw(
        TypeError,
        /^RedisStore: waitReplicas must be an integer from 0 to 100/,
      )
    })
  }

  it('refuses a client that cannot keep commands together', () => {
    expect(() => new RedisStore(recordCommands(redis), { waitReplicas: 1 })).to.throw(
      TypeError,
      'RedisStore: waitReplicas needs an ioredis client',
    )
    expect(new RedisStore(recordCommands(redis), { waitReplicas: 0 })).to.be.an('object')
  })
})
