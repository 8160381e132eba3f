import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { after, before, beforeEach, describe, it } from 'mocha'
import { type RedisClient, type RedisClusterClient, RedisStore } from '../../lib/index.js'
import {
  endAllSessions,
  HOUR,
  newAddress,
  newGroup,
  newHandle,
  storeUnderTest,
} from '../../store-contract/store-under-test.js'
import { ownStoreContract } from '../contracts/own-store-contract.js'
import { failureOf } from '../support/failures.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'

const WITHIN_MS = 2

describe('RedisStore on a Redis Cluster', () => {
  let servers: RedisCluster
  let cluster: Cluster
  let prefix: string
  let store: RedisStore
  const { entry, issue } = storeUnderTest(Date.now, () => store)

  before(async () => {
    servers = await startRedisCluster()
    cluster = new Cluster(servers.nodes)
  })

  after(async () => {
    cluster.disconnect()
    await servers.stop()
  })

  beforeEach(() => {
    prefix = freshPrefix()
    store = new RedisStore(cluster, { prefix })
  })

  const clear = () => Promise.all(cluster.nodes('master').map((master) => master.flushall()))
  ownStoreContract({ createStore: () => new RedisStore(cluster, { prefix: freshPrefix() }), clear })

  describe('with ioredis 5', () => {
    let cluster5: Cluster5

    before(() => {
      cluster5 = new Cluster5(servers.nodes)
    })
    after(() => cluster5.disconnect())

    const createStore = () => new RedisStore(cluster5, { prefix: freshPrefix() })
    ownStoreContract({ createStore, clear, onlyTheWayDiffers: true })
  })

  async function alive(logins: Awaited<ReturnType<typeof issue>>[]): Promise<number> {
    const visits = await Promise.all(logins.map(({ address }) => store.read(address)))
    return visits.filter((visit) => visit !== null).length
  }

  it('keeps each user in one key, and the users in many hash slots', async () => {
    const logins = await Promise.all(Array.from({ length: 20 }, () => issue({ userInfo: '{}' })))
    const perMaster = await Promise.all(cluster.nodes('master').map((master) => master.keys(`${prefix}*`)))
    const keys = logins.map(({ address }) => `${prefix}{${address.handle}}`)
    expect(perMaster.flat()).to.have.members(keys)
    const slots = await Promise.all(keys.map((key) => cluster.cluster('KEYSLOT', key)))
    expect(new Set(slots).size).to.be.above(1)
  })

  it('works on every master after all have forgotten their scripts', async () => {
    await Promise.all(cluster.nodes('master').map((master) => master.script('FLUSH')))
    const logins = await Promise.all(Array.from({ length: 60 }, () => issue()))
    expect(await alive(logins)).to.equal(60)
  })

  describe('to end all sessions', () => {
    it('visits every master', async () => {
      const logins = await Promise.all(Array.from({ length: 60 }, () => issue()))
      const perMaster = await Promise.all(
        cluster.nodes('master').map((master) => master.keys(`${prefix}{*}`)),
      )
      expect(perMaster.map((keys) => keys.length))
        .to.have.lengthOf(3)
        .and.not.include(0)
      expect(await endAllSessions(store)).to.equal(60)
      expect(await alive(logins)).to.equal(0)
    })

    it('of an app visits every master, and leaves the users of others', async () => {
      const group = newGroup()
      const own = await Promise.all(
        Array.from({ length: 60 }, () => issue({ address: newAddress(newHandle(group)) })),
      )
      const others = await Promise.all(Array.from({ length: 20 }, () => issue()))
      expect(await endAllSessions(store, { group })).to.equal(60)
      expect([await alive(own), await alive(others)]).to.deep.equal([0, 20])
      const perMaster = await Promise.all(
        cluster.nodes('master').map((master) => master.keys(`${prefix}{${group}*}`)),
      )
      expect(perMaster.map((keys) => keys.length)).to.not.include(0)
    })

    it('visits every master also with a client that has just been made and knows one of them', async () => {
      const logins = await Promise.all(Array.from({ length: 60 }, () => issue()))
      const young = new Cluster(servers.nodes.slice(0, 1))
      try {
        expect(await endAllSessions(new RedisStore(young, { prefix }))).to.equal(60)
        expect(await alive(logins)).to.equal(0)
      } finally {
        young.disconnect()
      }
    })

    it('fails or visits it too when the connection to a master was lost, but never passes over it', async () => {
      const logins = await Promise.all(Array.from({ length: 60 }, () => issue()))
      const other = new Cluster(servers.nodes)
      await other.ping()
      const away = new Promise((resolve) => other.once('-node', resolve))
      other.nodes('master')[0]?.disconnect()
      await away
      const outcome = await endAllSessions(new RedisStore(other, { prefix })).catch((error: unknown) => error)
      other.disconnect()
      const saysDone = !(outcome instanceof Error)
      expect(saysDone && (await alive(logins)) > 0).to.equal(false)
    })

    for (const group of [null, 'aaaa'])
      it(`goes by the master whose clock is ahead, for ${group ? 'an app' : 'everybody'}`, async () => {
        const ahead = [String(Math.floor(Date.now() / 1000) + 3600), '000000']
        const client: RedisClusterClient = {
          call: (...args) => cluster.call(...args),
          nodes: (role) =>
            cluster.nodes(role).map((node, at) => ({
              call: async (...args) => (at === 1 && args[0] === 'TIME' ? ahead : node.call(...args)),
            })),
        }
        const address = newAddress(newHandle('aaaa'))
        await new RedisStore(client, { prefix }).revokeBatch({ group })
        const beganAt = Number(ahead[0]) * 1_000_000
        expect(await store.issue(entry({ address, beganAt }))).to.deep.equal({ state: 'revoked' })
        const { state } = await store.issue(entry({ address: newAddress(newHandle('bbbb')), beganAt }))
        expect(state).to.equal(group ? 'issued' : 'revoked')
        expect(await store.issue(entry({ address, beganAt: beganAt + 1 }))).to.include({ state: 'issued' })
      })

    it('asks for no more when its time is up', async () => {
      const { next } = await store.revokeBatch({ group: null })
      const sent: string[] = []
      const sending = (client: RedisClient): RedisClient => ({
        call(...args) {
          sent.push(args.slice(0, 2).join(' '))
          return client.call(...args)
        },
      })
      const slow: RedisClusterClient = {
        nodes: (role) => cluster.nodes(role).map(sending),
        async call(...args) {
          const askedAt = performance.now()
          const reply = await sending(cluster).call(...args)
          while (performance.now() - askedAt < WITHIN_MS) await cluster.ping()
          return reply
        },
      }
      const failure = await failureOf(() =>
        new RedisStore(slow, { prefix }).revokeBatch({ group: null, cursor: next }, WITHIN_MS),
      )
      expect(String(failure)).to.include('too late')
      expect(sent).to.deep.equal(['CLUSTER SLOTS'])
    })

    it('fails when no master can be reached, and does not say that it is done', async () => {
      const lost = new Cluster([{ host: '127.0.0.1', port: 1 }], { clusterRetryStrategy: () => null })
      lost.on('error', () => {})
      expect(await failureOf(() => new RedisStore(lost, { prefix }).revokeBatch({ group: null }))).to.be.an(
        'error',
      )
      lost.disconnect()
    })
  })

  it('does not take a session for gone when it asks the wrong master', async () => {
    const { address } = await issue()
    const direct = servers.nodes.map(({ host, port }) => new Redis({ host, port }))
    const reads = await Promise.allSettled(
      direct.map((client) => new RedisStore(client, { prefix }).read(address)),
    )
    for (const client of direct) client.disconnect()
    for (const read of reads) {
      if (read.status === 'fulfilled') expect(read.value).to.include({ sessionId: address.sessionId })
      else expect(String(read.reason)).to.include('MOVED')
    }
    expect(reads.filter(({ status }) => status === 'rejected').length).to.be.at.least(2)
  })

  it('gives the connections up on which replies were lost, and goes on over new ones', async () => {
    const logins = await Promise.all(Array.from({ length: 20 }, (_, n) => issue({ userInfo: `${n}` })))
    const other = new Cluster(servers.nodes)
    try {
      await other.ping()
      // Redis replies neither to this nor to the next command: from then on every reply comes two commands
      // too late.
      for (const node of other.nodes('master')) node.client('REPLY', 'SKIP').catch(() => undefined)
      const shifted = new RedisStore(other, { prefix })
      const visits = await Promise.allSettled(logins.map(({ address }) => shifted.read(address)))
      const told = visits.map((visit) => (visit.status === 'fulfilled' ? visit.value?.userInfo : 'failed'))
      for (const [n, userInfo] of told.entries()) expect(userInfo).to.be.oneOf([`${n}`, 'failed'])
      expect(told).to.include('failed')
      const again = await Promise.all(logins.map(({ address }) => shifted.read(address)))
      expect(again.map((visit) => visit?.userInfo)).to.deep.equal(logins.map(({ userInfo }) => userInfo))
    } finally {
      other.disconnect()
    }
  })

  describe('the mark', () => {
    it('of all is asked for in the same moment as the user, once each', async () => {
      const { address } = await issue()
      await store.read(address)
      const asked: string[][] = []
      const replies: Promise<unknown>[] = []
      const client: RedisClusterClient = {
        nodes: (role) => cluster.nodes(role),
        call(...args) {
          asked.push(args.map(String))
          // No reply before both questions are asked.
          const reply = cluster.call(...args).then(async (told) => {
            while (replies.length < 2) await cluster.ping()
            return told
          })
          replies.push(reply)
          return reply
        },
      }
      expect(await new RedisStore(client, { prefix }).read(address)).to.not.equal(null)
      expect(asked.map(([command, , count, key]) => [command, count, key])).to.deep.equal([
        ['EVALSHA', '1', `${prefix}{${address.handle}}`],
        ['EVALSHA', '1', `${prefix}all`],
      ])
    })

    it('of all is asked for once for all who ask for a user in one turn', async () => {
      const logins = await Promise.all(Array.from({ length: 20 }, () => issue()))
      const asked: string[][] = []
      const client: RedisClusterClient = {
        nodes: (role) => cluster.nodes(role),
        call(...args) {
          asked.push(args.map(String))
          return cluster.call(...args)
        },
      }
      const other = new RedisStore(client, { prefix })
      const found = await Promise.all(logins.map(({ address }) => other.read(address)))
      expect(found).not.to.include(null)
      expect(asked.filter(([, , , key]) => key === `${prefix}all`)).to.have.length(1)
      expect(asked).to.have.length(21)
    })

    // Another process has set the mark, and has not come to this user yet.
    for (const whom of ['everybody', 'the users of an app'] as const)
      describe(`of ${whom} that another process has just set`, () => {
        let login: Awaited<ReturnType<typeof issue>>

        beforeEach(async () => {
          login = await issue({ userInfo: 'kept' })
          const group = whom === 'everybody' ? null : login.address.handle.slice(0, 4)
          await new RedisStore(cluster, { prefix }).revokeBatch({ group })
          expect(await cluster.exists(`${prefix}{${login.address.handle}}`)).to.equal(1)
        })

        it('ends a session for who reads it, and for who reads its user', async () => {
          const other = new RedisStore(cluster, { prefix })
          expect(await store.read(login.address)).to.equal(null)
          expect(await other.readUser(login.address.handle)).to.deep.equal({
            sessions: [],
            userInfo: 'kept',
            wasHere: true,
          })
        })

        it('leaves a touch no session', async () => {
          const window = { sessionDurationMs: HOUR, endsBy: login.endsAt }
          expect(await store.touch(login.address, window)).to.equal(null)
        })

        it('leaves a revocation nothing to end', async () => {
          expect(await store.revoke(login.address)).to.equal(false)
        })

        it('leaves the end of the user nothing to end', async () => {
          expect(await store.revokeUser(login.address.handle)).to.equal(0)
        })

        it('leaves no record to replace', async () => {
          const { address, record } = login
          const change = { sessionId: address.sessionId, from: record, to: 'new' }
          expect(await store.rewrite(address.handle, [change])).to.equal(0)
        })

        it('revokes a login that began before', async () => {
          const late = entry({ address: newAddress(login.address.handle), beganAt: login.createdAt * 1000 })
          expect(await store.issue(late)).to.deep.equal({ state: 'revoked' })
          expect(await store.read(late.address)).to.equal(null)
        })

        it('counts no ended session against a login', async () => {
          const next = entry({ address: newAddress(login.address.handle), maxSessions: 1, onLimit: 'refuse' })
          expect(await store.issue(next)).to.include({ state: 'issued', seenBefore: true })
        })
      })
  })

  describe('behind a proxy that looks like a single server', () => {
    let proxied: RedisStore
    let sent: string[]

    beforeEach(() => {
      sent = []
      const client = {
        call(command: string, ...args: (string | number)[]) {
          sent.push(command)
          return cluster.call(command, ...args)
        },
      }
      proxied = new RedisStore(client, { prefix })
    })

    it('finds a session, and asks for the mark of all by itself from then on', async () => {
      // A user lies in another slot than the mark, as nearly all do.
      const { address } = await issue()
      await store.read(address)
      expect(await proxied.read(address)).to.include({ sessionId: address.sessionId })
      expect(sent).to.deep.equal(['EVALSHA', 'MGET', 'EVALSHA', 'EVALSHA', 'EVALSHA'])
      sent.length = 0
      expect(await proxied.read(address)).to.include({ sessionId: address.sessionId })
      expect(sent).to.deep.equal(['EVALSHA', 'EVALSHA'])
    })

    it('does not find a session that was ended with all others', async () => {
      const { address } = await issue()
      await endAllSessions(store)
      expect(await proxied.read(address)).to.equal(null)
    })

    it('does not find a session that was ended with all of its app, and finds all others', async () => {
      const [{ address }, other] = [await issue(), await issue()]
      await endAllSessions(proxied, { group: address.handle.slice(0, 4) })
      expect(await proxied.read(address)).to.equal(null)
      expect(await proxied.read(other.address)).to.include({ sessionId: other.address.sessionId })
    })

    it('issues a session once', async () => {
      const login = entry({ maxSessions: 1, onLimit: 'refuse' })
      expect(await proxied.issue(login)).to.include({ state: 'issued', seenBefore: false })
      expect(await store.read(login.address)).to.include({ record: login.record })
    })
  })
})
