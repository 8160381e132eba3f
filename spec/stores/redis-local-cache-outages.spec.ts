import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore, type SessionAddress } from '../../lib/index.js'
import { endAllSessions, HOUR, newAddress } from '../../store-contract/store-under-test.js'
import { failureOf } from '../support/failures.js'
import { type HeldRedis, startHeldRedis } from '../support/held-redis.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { loginOf } from '../support/store-calls.js'
import { type StrictProxy, startStrictProxy } from '../support/strict-proxy.js'
import { until } from '../support/until.js'
import { coldStore, type WarmStore, warmStore } from '../support/warm-store.js'

describe('RedisStore with a local cache on the worst day', () => {
  let server: RedisServer
  let way: HeldRedis
  let client: Redis
  let warm: WarmStore
  /** Another process, on a way of its own. */
  let otherClient: Redis
  let other: RedisStore

  beforeEach(async () => {
    server = await startRedisServer({ keepData: true })
    way = await startHeldRedis(server.port)
    client = quietClient(way.port)
    otherClient = quietClient(server.port)
    other = new RedisStore(otherClient)
    warm = await warmStore(client)
  })
  afterEach(async () => {
    server.resume()
    await warm.store.close()
    client.disconnect()
    otherClient.disconnect()
    await way.close()
    await server.stop()
  })

  function quietClient(port: number): Redis {
    const made = new Redis({ port, maxRetriesPerRequest: 1, retryStrategy: () => 5 })
    made.on('error', () => undefined)
    return made
  }

  async function knownLogin(): Promise<SessionAddress> {
    const address = newAddress()
    await other.issue(loginOf(address.handle, address.sessionId))
    await until(() => warm.isFromMemory(address))
    return address
  }

  it('serves nothing that was ended while its channel is dead and not closed, once that is noticed', async () => {
    const addresses = await Promise.all(Array.from({ length: 20 }, knownLogin))
    way.hold('channels')
    await Promise.all(addresses.map((address) => other.revoke(address)))
    const [first = newAddress()] = addresses
    await until(async () => (await warm.store.read(first)) === null)
    for (const address of addresses) expect(await warm.store.read(address)).to.equal(null)
    await warm.serves()
    for (const address of addresses) expect(await warm.store.read(address)).to.equal(null)
  })

  it('serves nothing that was ended while its channel was closed', async () => {
    for (let n = 0; n < 20; n += 1) {
      const address = await knownLogin()
      const [, id] = /^id=(\d+) .* redir=\d/m.exec(String(await otherClient.client('LIST'))) ?? []
      await Promise.all([otherClient.client('KILL', 'ID', String(id)), other.revoke(address)])
      await warm.standsStill()
      expect(await warm.store.read(address)).to.equal(null)
      client.disconnect(true)
      await until(() => client.status === 'ready')
      await warm.serves()
      expect(await warm.store.read(address)).to.equal(null)
    }
  })

  it('asks a Redis that stands still, and waits for it as without a cache, after a second', async () => {
    const address = await knownLogin()
    server.pause()
    const asked = warm.timesAsked(address.handle)
    const visits: Promise<unknown>[] = []
    await until(async () => {
      visits.push(warm.store.read(address))
      return warm.timesAsked(address.handle) > asked
    })
    server.resume()
    for (const visit of visits) expect(await visit).to.include({ sessionId: address.sessionId })
    await warm.serves()
  })

  it('fails as without a cache while Redis is gone, and goes on by itself', async () => {
    const address = await knownLogin()
    await server.kill()
    await until(() => client.status !== 'ready')
    await failureOf(() => warm.store.read(address))
    await server.restart()
    await until(() => client.status === 'ready' && otherClient.status === 'ready')
    await other.revoke(address)
    await warm.serves()
    expect(await warm.store.read(address)).to.equal(null)
  })

  it('does not keep a reply that comes after the news that it is out of date', async () => {
    const canary = await knownLogin()
    for (let n = 0; n < 10; n += 1) {
      const address = newAddress()
      await other.issue(loginOf(address.handle, address.sessionId))
      await until(async () => (await warm.store.read(canary)) !== null && (await warm.isFromMemory(canary)))
      way.hold('others')
      const before = await readsCarriedOut()
      const visit = warm.store.read(address)
      await until(async () => (await readsCarriedOut()) > before)
      await other.revoke(address)
      await other.writeUserInfo(canary.handle, `told ${n}`, HOUR)
      const asked = warm.timesAsked(canary.handle)
      const canaries: Promise<unknown>[] = []
      await until(() => {
        canaries.push(warm.store.read(canary))
        return warm.timesAsked(canary.handle) > asked
      })
      way.release('others')
      expect(await visit, 'it was asked for before the end').to.include({ sessionId: address.sessionId })
      expect(await warm.store.read(address)).to.equal(null)
      await Promise.all(canaries)
    }
  })

  it('asks again when the marks have changed, before any other user is read', async () => {
    const [address, canary] = [await knownLogin(), await knownLogin()]
    await until(() => warm.isFromMemory(address))
    way.hold('others')
    await other.revokeBatch({ group: null })
    await other.writeUserInfo(canary.handle, 'told', HOUR)
    const reads: Promise<unknown>[] = []
    const askedOf = ({ handle }: SessionAddress) => warm.timesAsked(handle)
    const before = [askedOf(canary), askedOf(address)] as const
    await until(() => {
      reads.push(warm.store.read(canary))
      return askedOf(canary) > before[0]
    })
    const visit = warm.store.read(address)
    expect(askedOf(address)).to.equal(before[1] + 1)
    way.release('others')
    expect(await visit).to.equal(null)
    await Promise.all(reads)
  })

  const ownChanges: Readonly<Record<string, (address: SessionAddress) => Promise<unknown>>> = {
    'an ended session': (address) => warm.store.revoke(address),
    'an ended user': ({ handle }) => warm.store.revokeUser(handle),
    'the end of everybody': () => endAllSessions(warm.store),
    'the first step of the end of everybody': () => warm.store.revokeBatch({ group: null }),
    'the first step of the end of a group': ({ handle }) =>
      warm.store.revokeBatch({ group: handle.slice(0, 4) }),
    'a login that ends the oldest session': ({ handle }) =>
      warm.store.issue(loginOf(handle, newAddress().sessionId, { maxSessions: 1 })),
    'a login that replaces the session': ({ handle, sessionId }) =>
      warm.store.issue(loginOf(handle, newAddress().sessionId, { replaces: sessionId })),
    'another id': ({ handle, sessionId }) =>
      warm.store.rewrite(handle, [
        { sessionId, from: 'old', to: 'new', newSessionId: newAddress().sessionId },
      ]),
    'a visit that ends the session': (address) =>
      warm.store.touch(address, { sessionDurationMs: 0, endsBy: 0 }),
  }

  for (const [what, change] of Object.entries(ownChanges)) {
    it(`no longer serves a session after ${what} of its own, untold, at once, under reads all the time`, async () => {
      const address = await knownLogin()
      way.hold('channels')
      const reads: Promise<unknown>[] = []
      let isOver = false
      const reading = (async () => {
        while (!isOver) {
          reads.push(warm.store.read(address))
          await new Promise(setImmediate)
        }
      })()
      await change(address)
      expect(await warm.store.read(address)).to.equal(null)
      isOver = true
      await reading
      await Promise.all(reads)
      expect(await warm.store.read(address)).to.equal(null)
    })
  }

  it('has a profile, a record and a visit of its own at once, untold', async () => {
    const address = await knownLogin()
    const { handle, sessionId } = address
    way.hold('channels')
    await warm.store.writeUserInfo(handle, 'new', HOUR)
    expect(await warm.store.read(address)).to.include({ userInfo: 'new' })
    await warm.store.rewrite(handle, [{ sessionId, from: 'old', to: 'new' }])
    expect(await warm.store.read(address)).to.include({ record: 'new' })
    const visit = await warm.store.touch(address, { sessionDurationMs: HOUR, endsBy: 9_999_999_999_999 })
    expect(await warm.store.read(address)).to.include({ ...visit })
  })

  async function readsCarriedOut(): Promise<number> {
    const [, count] = /cmdstat_evalsha:calls=(\d+)/.exec(await otherClient.info('commandstats')) ?? []
    return Number(count)
  }

  describe('behind a proxy that hides several servers', () => {
    let proxy: StrictProxy

    beforeEach(async () => {
      proxy = await startStrictProxy({
        behind: server.port,
        crossSlot: "CROSSSLOT Keys in request don't hash to the same slot",
      })
    })
    afterEach(() => proxy.close())

    it('serves nothing from memory, as not each of them would tell', async () => {
      const hidden = quietClient(proxy.port)
      const { store, isFromMemory } = coldStore(hidden)
      const address = newAddress()
      await store.issue(loginOf(address.handle, address.sessionId))
      await store.read(address)
      await until(async () => / redir=\d/.test(String(await otherClient.client('LIST'))))
      for (let n = 0; n < 200; n += 1) expect(await isFromMemory(address)).to.equal(false)
      await store.close()
      hidden.disconnect()
    })
  })

  it('does not start where the user of Redis may not be told, and works as without', async () => {
    await otherClient.acl('SETUSER', 'default', '-client|tracking')
    const { store, isFromMemory } = coldStore(client, { prefix: 'other:' })
    const address = newAddress()
    await store.issue(loginOf(address.handle, address.sessionId))
    for (let n = 0; n < 200; n += 1) expect(await isFromMemory(address)).to.equal(false)
    await store.close()
  })

  it('needs no more rights than the documents say', async () => {
    const text = readFileSync(fileURLToPath(import.meta.resolve('../../docs/storage.md')), 'utf8')
    const [, line = ''] = /^ACL SETUSER (.*)$/m.exec(text) ?? []
    const [, more = ''] = /^With `localCache` either one needs `([^`]+)`/m.exec(text) ?? []
    await otherClient.call('ACL', 'SETUSER', ...line.split(' '), ...more.split(' '))
    const limited = new Redis({ port: server.port, username: 'weapp', password: 'password' })
    const { store } = await warmStore(limited)
    await store.close()
    limited.disconnect()
  })
})
