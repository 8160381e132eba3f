import { expect } from 'chai'
import { Redis } from 'ioredis'
import { type RecordChange, RedisStore, type SessionAddress } from '../../lib/index.js'
import { HOUR, newAddress, newClaimant, newId, storeUnderTest } from '../contracts/store-under-test.js'
import { commandCalls } from '../support/command-calls.js'
import { failureOf } from '../support/failures.js'
import { freshPrefix, type RecordingClient, recordCommands } from '../support/redis-client.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

describe('the commands of RedisStore', () => {
  let server: RedisServer
  let redis: Redis
  let client: RecordingClient
  let prefix: string
  let store: RedisStore
  const { entry, issue } = storeUnderTest({ describe, it, beforeEach, afterEach }, Date.now, () => store)

  // A server of its own, as scripts and counts belong to a whole server.
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
  })

  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  beforeEach(() => {
    prefix = freshPrefix()
    client = recordCommands(redis)
    store = new RedisStore(client, { prefix })
  })

  async function sentBy(work: () => Promise<unknown>): Promise<string[]> {
    client.commands.length = 0
    await work()
    return [...client.commands]
  }

  async function carriedOutBy(work: () => Promise<unknown>): Promise<Record<string, number | undefined>> {
    await redis.config('RESETSTAT')
    await work()
    const { 'config|resetstat': _reset, config: _config, ...counts } = await commandCalls(redis)
    return counts
  }

  function changeOf({ sessionId }: SessionAddress, from = '{"v":1}', to = '{"v":2}'): RecordChange {
    return { sessionId, from, to }
  }

  const scripted: Record<string, () => Promise<unknown>> = {
    issue: () => store.issue(entry()),
    touch: () => store.touch(newAddress(), Date.now(), Date.now() + HOUR),
    remove: () => store.remove(newAddress()),
    removeUser: () => store.removeUser(newAddress().handle),
    list: () => store.list(newAddress().handle),
    rewrite: () => store.rewrite(newAddress().handle, [changeOf(newAddress())]),
    release: () => store.release('id', newClaimant()),
    replaceValue: () => store.replaceValue(newId(), null, 'value', Date.now() + HOUR),
    claim: () => store.claim(newId(), newClaimant(), Date.now() + HOUR),
  }

  describe('to read', () => {
    it('are one MGET and nothing else on the server', async () => {
      const { address } = await issue({ userInfo: '{}' })
      expect(await carriedOutBy(() => store.read(address))).to.deep.equal({ mget: 1 })
    })

    it('are one MGET where there is no session, too', async () => {
      expect(await carriedOutBy(() => store.read(newAddress()))).to.deep.equal({ mget: 1 })
    })

    it('are one EXISTS to tell whether a user was here', async () => {
      const { address } = await issue()
      expect(await carriedOutBy(() => store.hasSeen(address.handle))).to.deep.equal({ exists: 1 })
    })

    it('are one GET for a shared value, and where there is none', async () => {
      const id = newId()
      expect(await carriedOutBy(() => store.readValue(id))).to.deep.equal({ get: 1 })
      await store.replaceValue(id, null, 'value', Date.now() + HOUR)
      expect(await carriedOutBy(() => store.readValue(id))).to.deep.equal({ get: 1 })
    })
  })

  describe('to write', () => {
    const plain: [method: string, work: () => Promise<unknown>, command: string][] = [
      ['writeUserInfo', () => store.writeUserInfo('user', 'text', Date.now() + HOUR), 'SET'],
      ['writeUserInfo with null', () => store.writeUserInfo('user', null, Date.now() + HOUR), 'SET'],
      ['settle', () => store.settle('id', 'text', Date.now() + HOUR), 'SET'],
      ['ping', () => store.ping(), 'EXISTS'],
    ]
    for (const [method, work, command] of plain) {
      it(`are one ${command} for ${method}`, async () => {
        expect(await sentBy(work)).to.deep.equal([command])
      })
    }

    for (const [method, work] of Object.entries(scripted)) {
      it(`are one script for ${method}`, async () => {
        await work()
        expect(await sentBy(work)).to.deep.equal(['EVALSHA'])
        const { evalsha, eval: evals } = await carriedOutBy(work)
        expect([evalsha, evals]).to.deep.equal([1, undefined])
      })

      it(`bring the source of ${method} once when Redis has forgotten its scripts`, async () => {
        await redis.script('FLUSH')
        expect(await sentBy(work)).to.deep.equal(['EVALSHA', 'EVAL'])
        expect(await sentBy(work)).to.deep.equal(['EVALSHA'])
      })
    }

    it('are one script for any number of changed records, and no SET for those that stay', async () => {
      const { address } = await issue({ record: 'old' })
      const changes = Array.from({ length: 20 }, () => changeOf(newAddress()))
      const work = () => store.rewrite(address.handle, [...changes, changeOf(address, 'old', 'new')])
      await work()
      expect(await carriedOutBy(work)).to.deep.equal({ evalsha: 1, mget: 21 })
    })

    it('are none for no changed record', async () => {
      expect(await sentBy(() => store.rewrite(newAddress().handle, []))).to.deep.equal([])
    })

    it('do the same work from source as by SHA-1', async () => {
      const { address, createdAt, dropAt } = await issue({ userInfo: 'kept' })
      await redis.script('FLUSH')
      expect(await store.touch(address, createdAt + 1, dropAt)).to.equal(true)
      expect(await store.rewrite(address.handle, [changeOf(address)])).to.equal(1)
      expect(await store.list(address.handle)).to.have.lengthOf(1)
      expect(await store.replaceValue(prefix, null, 'value', Date.now() + HOUR)).to.equal(true)
      const login = entry({ address: newAddress(address.handle), maxSessions: 1, onLimit: 'refuse' })
      expect(await store.issue(login)).to.deep.equal({
        issued: false,
        seenBefore: false,
        userInfo: null,
      })
      expect(await store.claim(prefix, newClaimant(), Date.now() + HOUR)).to.deep.equal({
        state: 'claimed',
      })
      expect(await store.remove(address)).to.equal(true)
      expect(await store.removeUser(address.handle)).to.equal(0)
    })

    it('all work when many meet a Redis that has forgotten its scripts', async () => {
      await redis.script('FLUSH')
      const { handle } = newAddress()
      await Promise.all(
        Array.from({ length: 50 }, () => issue({ address: newAddress(handle), maxSessions: 9 })),
      )
      expect(await store.list(handle)).to.have.lengthOf(9)
    })
  })

  describe('that meet a key of another kind', () => {
    it('fail as Redis says, and no source is sent', async () => {
      for (const work of Object.values(scripted)) await work()
      const { address } = await issue()
      await redis.set(`${prefix}{${address.handle}}`, 'no index')
      for (const method of ['issue', 'remove', 'removeUser', 'list'] as const) {
        const works = {
          issue: () => store.issue(entry({ address: newAddress(address.handle) })),
          remove: () => store.remove(address),
          removeUser: () => store.removeUser(address.handle),
          list: () => store.list(address.handle),
        }
        const sent = await sentBy(async () => {
          expect(await failureOf(works[method]))
            .to.be.an('error')
            .with.property('message')
            .that.matches(/WRONGTYPE/)
        })
        expect(sent, method).to.deep.equal(['EVALSHA'])
      }
    })

    it('read a record of another kind as no session, and do not touch it', async () => {
      const { address, createdAt } = await issue()
      const record = `${prefix}{${address.handle}}:${address.sessionId}`
      await redis.del(record)
      await redis.hset(record, 'field', 'value')
      expect(await store.read(address)).to.equal(null)
      expect(await failureOf(() => store.touch(address, createdAt + 1, createdAt + HOUR))).to.be.an('error')
      expect(await redis.hgetall(record)).to.deep.equal({ field: 'value' })
    })

    it('fail for a shared value of another kind, and leave it', async () => {
      const id = newId()
      await redis.hset(`${prefix}value:${id}`, 'field', 'value')
      for (const work of [
        () => store.readValue(id),
        () => store.replaceValue(id, null, 'new', Date.now() + HOUR),
        () => store.replaceValue(id, 'old', null, Date.now() + HOUR),
      ]) {
        expect(await failureOf(work))
          .to.be.an('error')
          .with.property('message')
          .that.matches(/WRONGTYPE/)
      }
      expect(await redis.hgetall(`${prefix}value:${id}`)).to.deep.equal({ field: 'value' })
    })

    it('pass over a record of another kind, and rewrite those before and after it', async () => {
      const { handle } = newAddress()
      const addresses = Array.from({ length: 3 }, () => newAddress(handle))
      for (const address of addresses) await issue({ address })
      const record = `${prefix}{${handle}}:${addresses[1]?.sessionId}`
      await redis.del(record)
      await redis.hset(record, 'field', 'value')
      expect(
        await store.rewrite(
          handle,
          addresses.map((address) => changeOf(address)),
        ),
      ).to.equal(2)
      expect(await redis.hgetall(record)).to.deep.equal({ field: 'value' })
    })

    it('pass on a value that another program wrote, and neither a touch nor a rewrite changes it', async () => {
      const { address, createdAt } = await issue()
      const record = `${prefix}{${address.handle}}:${address.sessionId}`
      await redis.set(record, '{"cookie":{}}', 'PX', HOUR)
      expect(await store.read(address)).to.include({ record: '{"cookie":{}}', lastVisitAt: 0 })
      await store.touch(address, createdAt + 1, createdAt + HOUR)
      expect(await store.rewrite(address.handle, [changeOf(address, '{"cookie":{}}')])).to.equal(0)
      expect(await redis.get(record)).to.equal('{"cookie":{}}')
    })
  })
})
