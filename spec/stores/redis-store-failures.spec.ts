import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { RedisStore, type SessionEntry, type SessionStore } from '../../lib/index.js'
import { guardStore } from '../../lib/sessions/guarded-store.js'
import { HOUR, newAddress, newClaimant, storeUnderTest } from '../contracts/store-under-test.js'
import { type BrokenServer, startGarbageServer, startHangingServer } from '../support/broken-server.js'
import { weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const TIMEOUT = 150

describe('RedisStore behind a guard', () => {
  let redis: Redis
  let store: Required<SessionStore>
  const { entry, issue } = storeUnderTest({ describe, it, beforeEach, afterEach }, Date.now, () => store)

  function connect(port: number): void {
    redis = new Redis({ port, maxRetriesPerRequest: 1, retryStrategy: () => 20 })
    redis.on('error', () => {})
    store = guardStore(new RedisStore(redis), TIMEOUT, keptLog())
  }

  afterEach(() => redis.disconnect())

  const calls: Record<string, () => Promise<unknown>> = {
    read: () => store.read(newAddress()),
    issue: () => store.issue(entry()),
    touch: () => store.touch(newAddress(), Date.now(), Date.now() + HOUR),
    remove: () => store.remove(newAddress()),
    removeUser: () => store.removeUser('user'),
    list: () => store.list('user'),
    writeUserInfo: () => store.writeUserInfo('user', '{}', Date.now() + HOUR),
    rewrite: () => store.rewrite('user', [{ sessionId: 'session', from: 'old', to: 'new' }]),
    claim: () => store.claim('id', newClaimant(), Date.now() + HOUR),
    settle: () => store.settle('id', 'sealed', Date.now() + HOUR),
    release: () => store.release('id', newClaimant()),
    readValue: () => store.readValue('id'),
    replaceValue: () => store.replaceValue('id', null, 'value', Date.now() + HOUR),
    removeBatch: () => store.removeBatch(),
    ping: () => store.ping(),
  }

  async function expectUnavailable(methods = Object.keys(calls)): Promise<void> {
    await Promise.all(
      methods.map((method) => weappErrorOf('ERR_STORE_UNAVAILABLE', calls[method] ?? expect.fail(method))),
    )
  }

  // Without removeBatch: a server that hangs has got the command all the same, and carries it out when it wakes up.
  const harmless = Object.keys(calls).filter((method) => method !== 'removeBatch')

  async function answering(): Promise<void> {
    for (;;) {
      try {
        return await store.ping()
      } catch {
        await delay(10)
      }
    }
  }

  for (const [what, start] of [
    ['answers garbage', startGarbageServer],
    ['never answers', startHangingServer],
  ] as const) {
    describe(`with a server that ${what}`, () => {
      let server: BrokenServer

      beforeEach(async () => {
        server = await start()
        connect(server.port)
      })

      afterEach(async () => {
        redis.disconnect()
        await server.close()
      })

      it('fails every call, and leaves no promise unhandled', async () => {
        const unhandled = await unhandledRejectionsDuring(async () => {
          await expectUnavailable()
          redis.disconnect()
          await delay(20)
        })
        expect(unhandled).to.deep.equal([])
      })
    })
  }

  describe('with a real server', () => {
    let server: RedisServer

    beforeEach(async () => {
      server = await startRedisServer({ keepData: true })
      connect(server.port)
      await answering()
    })

    afterEach(async () => {
      redis.disconnect()
      await server.stop()
    })

    it('fails every call while the server hangs, and goes on when it answers again', async () => {
      const { address } = await issue()
      server.pause()
      await expectUnavailable(harmless)
      server.resume()
      await answering()
      expect(await store.read(address)).to.include({ sessionId: address.sessionId })
    })

    it('fails every call while the server is gone, and goes on by itself with all sessions', async () => {
      const logins = await Promise.all(Array.from({ length: 20 }, () => issue({ userInfo: '{}' })))
      await server.kill()
      await expectUnavailable(harmless)
      await server.restart()
      await answering()
      for (const { address, createdAt, dropAt } of logins) {
        expect(await store.read(address)).to.include({ sessionId: address.sessionId, userInfo: '{}' })
        expect(await store.touch(address, createdAt + 1, dropAt)).to.equal(true)
        expect(await store.list(address.handle)).to.have.lengthOf(1)
      }
    })

    describe('that dies in the midst of logins', () => {
      let asked: SessionEntry[]
      let issued: SessionEntry[]

      beforeEach(async () => {
        asked = []
        issued = []
        const logins = Promise.allSettled(Array.from({ length: 10 }, logInUntilItFails))
        while (issued.length < 100) await delay(1)
        await server.kill()
        await logins
        await server.restart()
        await answering()
      })

      async function logInUntilItFails(): Promise<never> {
        for (;;) {
          const login = entry()
          asked.push(login)
          await store.issue(login)
          issued.push(login)
        }
      }

      it('has every session that was said to be issued', async () => {
        expect(issued.length).to.be.below(asked.length)
        const visits = await Promise.all(issued.map(({ address }) => store.read(address)))
        expect(visits.filter((visit) => visit === null)).to.deep.equal([])
      })

      it('has no session without its place in the list, and no place without its session', async () => {
        for (const { address } of asked) {
          const visit = await store.read(address)
          expect(await store.list(address.handle)).to.have.lengthOf(visit ? 1 : 0)
        }
      })
    })
  })
})
