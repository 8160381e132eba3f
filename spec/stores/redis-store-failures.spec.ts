import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { RedisStore, type SessionEntry, type SessionStore } from '../../lib/index.js'
import { guardStore } from '../../lib/sessions/guarded-store.js'
import { HOUR, newAddress, newHandle, newId, storeUnderTest } from '../../store-contract/store-under-test.js'
import { type BrokenServer, startGarbageServer, startHangingServer } from '../support/broken-server.js'
import { weappErrorOf } from '../support/failures.js'
import { keptLog } from '../support/log-lines.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

/** For what is not answered. */
const SOON_MS = 250
/** For what is answered, however slow the disk. */
const PATIENT_MS = 10_000

describe('RedisStore behind a guard', () => {
  let redis: Redis
  let store: Required<SessionStore>
  let patient: Required<SessionStore>
  let impatient: Required<SessionStore>
  const { entry, issue } = storeUnderTest(Date.now, () => store)

  function connect(port: number): void {
    redis = new Redis({ port, maxRetriesPerRequest: 1, retryStrategy: () => 20 })
    redis.on('error', () => {})
    const unguarded = new RedisStore(redis)
    patient = guarded(unguarded, PATIENT_MS)
    impatient = guarded(unguarded, SOON_MS)
    store = patient
  }

  function guarded(unguarded: SessionStore, timeoutMs: number): Required<SessionStore> {
    return guardStore({ store: unguarded, timeoutMs, clock: Date.now, logger: keptLog() })
  }

  afterEach(() => redis.disconnect())

  const window = () => ({ sessionDurationMs: HOUR, endsBy: Date.now() + HOUR })
  const change = { sessionId: newAddress().sessionId, from: 'old', to: 'new' }

  const calls: Record<string, () => Promise<unknown>> = {
    read: () => store.read(newAddress()),
    readUser: () => store.readUser(newHandle()),
    issue: () => store.issue(entry()),
    touch: () => store.touch(newAddress(), window()),
    revoke: () => store.revoke(newAddress()),
    revokeUser: () => store.revokeUser(newHandle()),
    writeUserInfo: () => store.writeUserInfo(newHandle(), '{}', HOUR),
    rewrite: () => store.rewrite(newHandle(), [change]),
    readValue: () => store.readValue(newId()),
    replaceValue: () => store.replaceValue({ id: newId(), from: null, to: 'value', keepMs: HOUR }),
    revokeBatch: () => store.revokeBatch({ group: null }),
    ping: () => store.ping(),
  }

  async function expectUnavailable(...works: readonly (() => Promise<unknown>)[]): Promise<void> {
    store = impatient
    await Promise.all(works.map((work) => weappErrorOf('ERR_STORE_UNAVAILABLE', work)))
    store = patient
  }

  async function answering(): Promise<void> {
    for (;;) {
      try {
        return await impatient.ping()
      } catch {
        await delay(10)
      }
    }
  }

  /** All keys with their values. */
  async function everything(): Promise<Record<string, string | null>> {
    // A ping leaves a key for a millisecond.
    while ((await redis.pttl('weapp:all')) >= 0);
    const keys = (await redis.keys('*')).sort()
    return Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await redis.get(key)])))
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
          await expectUnavailable(...Object.values(calls))
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
      await expectUnavailable(...Object.values(calls))
      server.resume()
      await answering()
      expect(await store.read(address)).to.include({ sessionId: address.sessionId })
    })

    it('fails every call while the server is gone, and goes on by itself with all sessions', async () => {
      const logins = await Promise.all(Array.from({ length: 20 }, () => issue({ userInfo: '{}' })))
      await server.kill()
      await expectUnavailable(...Object.values(calls))
      await server.restart()
      await answering()
      for (const { address } of logins) {
        expect(await store.read(address)).to.include({ sessionId: address.sessionId, userInfo: '{}' })
        expect(await store.touch(address, window())).to.include.keys('lastVisitAt', 'endsAt')
        const { sessions } = await store.readUser(address.handle)
        expect(sessions).to.have.lengthOf(1)
      }
    })

    it('gives a connection up on which a reply was lost, and goes on over a new one', async () => {
      const [alice, bob] = [await issue({ userInfo: 'of Alice' }), await issue({ userInfo: 'of Bob' })]
      // Redis replies neither to this nor to the next command: from then on every reply comes two commands
      // too late.
      redis.client('REPLY', 'SKIP').catch(() => undefined)
      const visits = await Promise.allSettled(
        Array.from({ length: 20 }, (_, turn) => [alice, bob][turn % 2] ?? alice).map(async (login) => ({
          visit: await impatient.read(login.address),
          login,
        })),
      )
      for (const told of visits) {
        if (told.status === 'rejected') expect(told.reason).to.include({ code: 'ERR_STORE_UNAVAILABLE' })
        else expect(told.value.visit?.userInfo).to.equal(told.value.login.userInfo)
      }
      await answering()
      expect(await store.read(alice.address)).to.include({ userInfo: 'of Alice' })
      expect(await store.read(bob.address)).to.include({ userInfo: 'of Bob' })
    })

    describe('that is stopped while a change is under way, and goes on when nobody waits any more', () => {
      /** What is changed, made ready before the server stops. */
      const changes: Record<string, () => Promise<() => Promise<unknown>>> = {
        'a login of a new user': async () => () => store.issue(entry({ userInfo: 'new' })),
        'one more login': async () => {
          const { address } = await issue()
          return () => store.issue(entry({ address: newAddress(address.handle) }))
        },
        'a login that ends the oldest session': async () => {
          const { address } = await issue()
          return () => store.issue(entry({ address: newAddress(address.handle), maxSessions: 1 }))
        },
        'a login that replaces a session': async () => {
          const { address } = await issue()
          const next = entry({ address: newAddress(address.handle), replaces: address.sessionId })
          return () => store.issue(next)
        },
        'a touch': async () => {
          const { address } = await issue()
          return () => store.touch(address, window())
        },
        'the end of a session': async () => {
          const { address } = await issue()
          return () => store.revoke(address)
        },
        'the end of a user': async () => {
          const { address } = await issue()
          return () => store.revokeUser(address.handle)
        },
        'the end of a user but for one session': async () => {
          const { address } = await issue()
          await issue({ address: newAddress(address.handle) })
          return () => store.revokeUser(address.handle, address.sessionId)
        },
        'a profile': async () => {
          const { address } = await issue({ userInfo: 'old' })
          return () => store.writeUserInfo(address.handle, 'new', HOUR)
        },
        'the deletion of a profile': async () => {
          const { address } = await issue({ userInfo: 'old' })
          return () => store.writeUserInfo(address.handle, null, HOUR)
        },
        'a new record': async () => {
          const { address, record } = await issue()
          const { handle, sessionId } = address
          return () => store.rewrite(handle, [{ sessionId, from: record, to: 'new' }])
        },
        'a first value': async () => () =>
          store.replaceValue({ id: newId(), from: null, to: 'value', keepMs: HOUR }),
        'another value': async () => {
          const id = newId()
          await store.replaceValue({ id, from: null, to: 'old', keepMs: HOUR })
          return () => store.replaceValue({ id, from: 'old', to: 'new' })
        },
        'the deletion of a value': async () => {
          const id = newId()
          await store.replaceValue({ id, from: null, to: 'old', keepMs: HOUR })
          return () => store.replaceValue({ id, from: 'old', to: null })
        },
        'the end of everybody': async () => {
          await issue()
          return () => store.revokeBatch({ group: null })
        },
        'what is left of the end of everybody': async () => {
          await issue()
          const { next } = await store.revokeBatch({ group: null })
          return () => store.revokeBatch({ group: null, cursor: next })
        },
        'the end of the users of an app': async () => {
          const { address } = await issue()
          return () => store.revokeBatch({ group: address.handle.slice(0, 4) })
        },
        'what is left of the end of the users of an app': async () => {
          const { address } = await issue()
          const group = address.handle.slice(0, 4)
          const { next } = await store.revokeBatch({ group })
          return () => store.revokeBatch({ group, cursor: next })
        },
      }

      for (const [title, prepare] of Object.entries(changes)) {
        it(`carries none out: ${title}`, async () => {
          await issue({ userInfo: 'of somebody else' })
          const change = await prepare()
          const before = await everything()
          server.pause()
          await expectUnavailable(change)
          server.resume()
          // Behind the change on the same connection.
          await redis.ping()
          expect(await everything()).to.deep.equal(before)
          await change()
          expect(await everything()).to.not.deep.equal(before)
        })
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

      it('has each other session as a whole, or nothing of it', async () => {
        for (const { address, record } of asked) {
          const { sessions, wasHere } = await store.readUser(address.handle)
          expect(sessions.map((session) => session.record)).to.deep.equal(wasHere ? [record] : [])
        }
      })
    })
  })
})
