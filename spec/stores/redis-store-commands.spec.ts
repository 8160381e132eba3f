import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { type RecordChange, RedisStore, type SessionAddress } from '../../lib/index.js'
import {
  endAllSessions,
  HOUR,
  newAddress,
  newId,
  storeUnderTest,
} from '../../store-contract/store-under-test.js'
import { commandCalls } from '../support/command-calls.js'
import { failureOf } from '../support/failures.js'
import { freshPrefix, type RecordingClient, recordCommands } from '../support/redis-client.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const MINUTE = 60_000
/** Long enough for any change, however slow the machine. */
const WITHIN = MINUTE

/** What one script does inside, by how it ends. */
const READS_USER = { evalsha: 1, time: 1, get: 2 }
/** What is not certainly alive is asked for once more, by a script. */
const READS_TWICE = { mget: 1, ...READS_USER }
const WRITES_USER = { ...READS_USER, set: 1 }
const DELETES_USER = { ...READS_USER, del: 1 }
const READS_KEY = { evalsha: 1, time: 1, get: 1 }
const WRITES_KEY = { ...READS_KEY, set: 1 }
const DELETES_KEY = { ...READS_KEY, del: 1 }

describe('the commands of RedisStore', () => {
  let server: RedisServer
  let redis: Redis
  let client: RecordingClient
  let prefix: string
  let store: RedisStore
  const { entry, issue } = storeUnderTest(Date.now, () => store)

  // A server of its own, as scripts and counts belong to a whole server.
  before(async () => {
    server = await startRedisServer()
    redis = new Redis(server.url)
  })

  after(async () => {
    redis.disconnect()
    await server.stop()
  })

  beforeEach(async () => {
    await redis.flushall()
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

  const window = () => ({ sessionDurationMs: HOUR, endsBy: Date.now() + HOUR })

  /** A call of each method that is one script, on a store that holds nothing of it. */
  const calls: Record<string, () => Promise<unknown>> = {
    readUser: () => store.readUser(newAddress().handle),
    issue: () => store.issue(entry(), WITHIN),
    touch: () => store.touch(newAddress(), window(), WITHIN),
    revoke: () => store.revoke(newAddress(), WITHIN),
    revokeUser: () => store.revokeUser(newAddress().handle, undefined, WITHIN),
    writeUserInfo: () => store.writeUserInfo(newAddress().handle, '{}', HOUR, WITHIN),
    rewrite: () => store.rewrite(newAddress().handle, [changeOf(newAddress())], WITHIN),
    readValue: () => store.readValue(newId()),
    replaceValue: () => store.replaceValue({ id: newId(), from: null, to: 'value', keepMs: HOUR }, WITHIN),
    ping: () => store.ping(),
  }
  const reading = ['readUser', 'readValue', 'ping']
  const writing = Object.keys(calls).filter((method) => !reading.includes(method))

  /** What a method does on the server: the work, made ready by what comes before it, and the commands. */
  const works: [title: string, prepare: () => Promise<() => Promise<unknown>>, commands: object][] = [
    [
      'readUser',
      async () => {
        const { address } = await issue({ userInfo: '{}' })
        return () => store.readUser(address.handle)
      },
      READS_USER,
    ],
    ['issue', async () => () => store.issue(entry(), WITHIN), WRITES_USER],
    [
      'issue of one session too many',
      async () => {
        const { address } = await issue()
        const next = entry({ address: newAddress(address.handle), maxSessions: 1 })
        return () => store.issue(next, WITHIN)
      },
      WRITES_USER,
    ],
    [
      'issue that is refused',
      async () => {
        const { address } = await issue()
        const next = entry({ address: newAddress(address.handle), maxSessions: 1, onLimit: 'refuse' })
        return () => store.issue(next, WITHIN)
      },
      READS_USER,
    ],
    [
      'issue that is revoked',
      async () => {
        const { address, createdAt } = await issue()
        await store.revokeUser(address.handle)
        const late = entry({ address: newAddress(address.handle), beganAt: createdAt * 1000 })
        return () => store.issue(late, WITHIN)
      },
      READS_USER,
    ],
    [
      'touch',
      async () => {
        const { address } = await issue()
        return () => store.touch(address, window(), WITHIN)
      },
      WRITES_USER,
    ],
    ['touch of no session', async () => () => store.touch(newAddress(), window(), WITHIN), READS_USER],
    [
      'revoke',
      async () => {
        const { address } = await issue()
        return () => store.revoke(address, WITHIN)
      },
      WRITES_USER,
    ],
    [
      'revoke of the last that there is of a user',
      async () => {
        const { address } = await issue({ userInfoDurationMs: 0 })
        return () => store.revoke(address, WITHIN)
      },
      DELETES_USER,
    ],
    ['revoke of no session', async () => () => store.revoke(newAddress(), WITHIN), READS_USER],
    [
      'revokeUser',
      async () => {
        const { address } = await issue()
        return () => store.revokeUser(address.handle, address.sessionId, WITHIN)
      },
      WRITES_USER,
    ],
    [
      'writeUserInfo',
      async () => {
        const { address } = await issue()
        return () => store.writeUserInfo(address.handle, '{}', HOUR, WITHIN)
      },
      WRITES_USER,
    ],
    [
      'writeUserInfo that leaves nothing of a user',
      async () => () => store.writeUserInfo(newAddress().handle, null, 0, WITHIN),
      DELETES_USER,
    ],
    [
      'rewrite of one record among many that are no longer as they were read',
      async () => {
        const { address } = await issue({ record: 'old' })
        const changes = Array.from({ length: 20 }, () => changeOf(newAddress()))
        return () => store.rewrite(address.handle, [...changes, changeOf(address, 'old', 'new')], WITHIN)
      },
      WRITES_USER,
    ],
    [
      'rewrite of a record that is no longer as it was read',
      async () => {
        const { address } = await issue({ record: 'newer' })
        return () => store.rewrite(address.handle, [changeOf(address, 'old', 'new')], WITHIN)
      },
      READS_USER,
    ],
    [
      'readValue',
      async () => {
        const id = newId()
        await store.replaceValue({ id, from: null, to: 'value', keepMs: HOUR })
        return () => store.readValue(id)
      },
      READS_KEY,
    ],
    ['readValue of no value', async () => () => store.readValue(newId()), READS_KEY],
    [
      'replaceValue',
      async () => {
        const change = { id: newId(), from: null, to: 'value', keepMs: HOUR }
        return () => store.replaceValue(change, WITHIN)
      },
      WRITES_KEY,
    ],
    [
      'replaceValue with null',
      async () => {
        const id = newId()
        await store.replaceValue({ id, from: null, to: 'value', keepMs: HOUR })
        return () => store.replaceValue({ id, from: 'value', to: null }, WITHIN)
      },
      DELETES_KEY,
    ],
    [
      'replaceValue of another value',
      async () => {
        const change = { id: newId(), from: 'old', to: 'new', keepMs: HOUR }
        return () => store.replaceValue(change, WITHIN)
      },
      READS_KEY,
    ],
    ['ping', async () => () => store.ping(), WRITES_KEY],
  ]

  describe('of a call', () => {
    const { now } = performance
    let nowMs = 0
    // So that the store knows the time, for which it asks once a second, and the server its scripts.
    beforeEach(async () => {
      nowMs = now.call(performance)
      performance.now = () => nowMs
      for (const call of Object.values(calls)) await call()
    })
    afterEach(() => {
      performance.now = now
    })

    for (const [title, prepare, commands] of works) {
      it(`are one script, of which all that it does is known: ${title}`, async () => {
        const work = await prepare()
        let sent: string[] = []
        const carriedOut = await carriedOutBy(async () => {
          sent = await sentBy(work)
        })
        expect(sent).to.deep.equal(['EVALSHA'])
        expect(carriedOut).to.deep.equal(commands)
      })
    }

    it('are one that reads user and marks, for a session that is alive', async () => {
      const { address } = await issue({ userInfo: '{}' })
      const carriedOut = await carriedOutBy(async () => {
        expect(await store.read(address)).to.include({ userInfo: '{}' })
      })
      expect(carriedOut).to.deep.equal({ mget: 1 })
    })

    it('are one for all sessions that are asked for in one turn, of one user or of many', async () => {
      const { address } = await issue()
      const others = await Promise.all(Array.from({ length: 62 }, () => issue()))
      const asked = [address, (await issue({ address: newAddress(address.handle) })).address]
      asked.push(...others.map((other) => other.address))
      const carriedOut = await carriedOutBy(async () => {
        const found = await Promise.all(asked.map((one) => store.read(one)))
        expect(found.map((session) => session?.sessionId)).to.deep.equal(
          asked.map(({ sessionId }) => sessionId),
        )
      })
      expect(carriedOut).to.deep.equal({ mget: 1 })
    })

    it('are one for each 500 keys of a turn, the marks last', async () => {
      const logins = await Promise.all(Array.from({ length: 1100 }, () => issue()))
      const sent = await sentBy(async () => {
        const found = await Promise.all(logins.map(({ address }) => store.read(address)))
        expect(found.map((session) => session?.sessionId)).to.deep.equal(
          logins.map(({ address }) => address.sessionId),
        )
      })
      expect(sent.filter((command) => command === 'MGET')).to.have.length(3)
    })

    it('are never shared with a question that was sent before', async () => {
      const { address } = await issue()
      const early = store.read(address)
      await new Promise(setImmediate)
      await store.revoke(address)
      expect(await store.read(address)).to.equal(null)
      await early
    })

    it('are two for a session that is not there, or whose end is near', async () => {
      const { address } = await issue()
      const late = await issue({ sessionDurationMs: 1500 })
      for (const one of [newAddress(address.handle), newAddress(), late.address])
        expect(await carriedOutBy(() => store.read(one))).to.deep.equal(READS_TWICE)
    })

    it('are one script for a session that was asked for before and was not there', async () => {
      const { address } = await issue()
      for (const one of [newAddress(address.handle), newAddress()]) {
        await store.read(one)
        expect(await carriedOutBy(() => store.read(one))).to.deep.equal(READS_USER)
      }
      expect(await sentBy(() => store.read(address))).to.deep.equal(['MGET'])
    })

    it('are two at the same moment for the first read of a process, and once a second', async () => {
      const { address } = await issue()
      await new RedisStore(client, { prefix }).read(address)
      store = new RedisStore(client, { prefix })
      for (let seconds = 0; seconds < 2; seconds += 1) {
        expect(await sentBy(() => store.read(address))).to.have.members(['MGET', 'EVALSHA'])
        expect(await sentBy(() => store.read(address))).to.deep.equal(['MGET'])
        nowMs += 1_001
      }
    })

    it('are one script to end everybody, then a SCAN and one script for each user it finds', async () => {
      await endAllSessions(store)
      const { address } = await issue()
      await issue({ address: newAddress(address.handle) })
      await issue()
      // Some have a profile or a mark, but no session.
      const users = (await redis.keys(`${prefix}{*}`)).length
      let next: string | undefined
      expect(
        await carriedOutBy(async () => {
          next = (await store.revokeBatch({ group: null }, WITHIN)).next
        }),
      ).to.deep.equal(WRITES_KEY)
      let sent: string[] = []
      const carriedOut = await carriedOutBy(async () => {
        sent = await sentBy(() => store.revokeBatch({ group: null, cursor: next }, WITHIN))
      })
      expect(sent).to.deep.equal(['SCAN', ...Array<string>(users).fill('EVALSHA')])
      expect(carriedOut).to.include({ scan: 1, evalsha: users, time: users, get: 2 * users })
      expect(carriedOut.set).to.equal(2)
    })

    it('are the same to end the users of an app, and none for a user of another', async () => {
      const { address } = await issue()
      await issue()
      const group = address.handle.slice(0, 4)
      let next: string | undefined
      expect(
        await carriedOutBy(async () => {
          next = (await store.revokeBatch({ group }, WITHIN)).next
        }),
      ).to.deep.equal(WRITES_KEY)
      let sent: string[] = []
      const carriedOut = await carriedOutBy(async () => {
        sent = await sentBy(() => store.revokeBatch({ group, cursor: next }, WITHIN))
      })
      expect(sent).to.deep.equal(['SCAN', 'EVALSHA'])
      expect(carriedOut).to.deep.equal({ scan: 1, evalsha: 1, time: 1, get: 2, set: 1 })
    })

    it('are none for no changed record', async () => {
      expect(await sentBy(() => store.rewrite(newAddress().handle, [], WITHIN))).to.deep.equal([])
    })

    for (const withinMs of [0, -1]) {
      it(`are none for a change that is wanted within ${withinMs} ms`, async () => {
        expect(
          await sentBy(async () => {
            expect(await failureOf(() => store.issue(entry(), withinMs))).to.be.an('error')
          }),
        ).to.deep.equal([])
      })
    }
  })

  describe('of the first change of a store that knows no time yet', () => {
    for (const method of writing) {
      it(`are two scripts, the first of which changes nothing: ${method}`, async () => {
        const call = calls[method] ?? expect.fail(method)
        await call()
        store = new RedisStore(client, { prefix })
        let sent: string[] = []
        const {
          set = 0,
          del = 0,
          time,
        } = await carriedOutBy(async () => {
          sent = await sentBy(call)
        })
        expect(sent).to.deep.equal(['EVALSHA', 'EVALSHA'])
        expect(time).to.equal(2)
        expect(set + del).to.be.at.most(1)
        expect(await sentBy(call)).to.deep.equal(['EVALSHA'])
      })
    }

    it('are one script when the change is wanted however long it takes', async () => {
      await issue()
      store = new RedisStore(client, { prefix })
      expect(await sentBy(() => store.issue(entry()))).to.deep.equal(['EVALSHA'])
    })

    it('are one script after a read has told the time', async () => {
      await issue()
      store = new RedisStore(client, { prefix })
      await store.read(newAddress())
      expect(await sentBy(() => store.issue(entry(), WITHIN))).to.deep.equal(['EVALSHA'])
    })
  })

  describe('to a server that has forgotten its scripts', () => {
    for (const [method, call] of Object.entries(calls)) {
      it(`bring the source once: ${method}`, async () => {
        await call()
        await redis.script('FLUSH')
        expect(await sentBy(call)).to.deep.equal(['EVALSHA', 'EVAL'])
        expect(await sentBy(call)).to.deep.equal(['EVALSHA'])
      })
    }

    it('do the same work from source as by SHA-1', async () => {
      const { address } = await issue({ userInfo: 'kept' })
      await redis.script('FLUSH')
      expect(await store.touch(address, window())).to.include.keys('lastVisitAt', 'endsAt')
      expect(await store.rewrite(address.handle, [changeOf(address)])).to.equal(1)
      expect(await store.readUser(address.handle)).to.include({ userInfo: 'kept', wasHere: true })
      const change = { id: newId(), from: null, to: 'value', keepMs: HOUR }
      expect(await store.replaceValue(change)).to.include({ isReplaced: true })
      const login = entry({ address: newAddress(address.handle), maxSessions: 1, onLimit: 'refuse' })
      expect(await store.issue(login)).to.deep.equal({ state: 'refused' })
      expect(await store.revoke(address)).to.equal(true)
      expect(await store.revokeUser(address.handle)).to.equal(0)
    })

    it('all work when many meet it', async () => {
      await redis.script('FLUSH')
      const { handle } = newAddress()
      await Promise.all(
        Array.from({ length: 50 }, () => issue({ address: newAddress(handle), maxSessions: 9 })),
      )
      const { sessions } = await store.readUser(handle)
      expect(sessions).to.have.lengthOf(9)
    })
  })

  describe('that meet a key of another kind', () => {
    async function expectWrongType(work: () => Promise<unknown>): Promise<void> {
      expect(await failureOf(work))
        .to.be.an('error')
        .with.property('message')
        .that.matches(/WRONGTYPE/)
    }

    beforeEach(async () => {
      for (const call of Object.values(calls)) await call()
    })

    it('fail as Redis says, send no source and leave it: a user', async () => {
      const address = newAddress()
      const key = `${prefix}{${address.handle}}`
      await redis.hset(key, 'field', 'value')
      const { handle } = address
      await expectWrongType(() => store.read(address))
      const meeting: (() => Promise<unknown>)[] = [
        () => store.readUser(handle),
        () => store.issue(entry({ address })),
        () => store.touch(address, window()),
        () => store.revoke(address),
        () => store.revokeUser(handle),
        () => store.writeUserInfo(handle, '{}', HOUR),
        () => store.rewrite(handle, [changeOf(address)]),
      ]
      for (const work of meeting) {
        expect(await sentBy(() => expectWrongType(work)), String(work)).to.deep.equal(['EVALSHA'])
      }
      // It stands in nobody's way: no session is valid by it.
      await endAllSessions(store)
      expect(await redis.hgetall(key)).to.deep.equal({ field: 'value' })
    })

    it('fail as Redis says, and leave it: a shared value', async () => {
      const id = newId()
      await redis.hset(`${prefix}value:${id}`, 'field', 'value')
      await expectWrongType(() => store.readValue(id))
      await expectWrongType(() => store.replaceValue({ id, from: null, to: 'new', keepMs: HOUR }))
      await expectWrongType(() => store.replaceValue({ id, from: 'old', to: null }))
      expect(await redis.hgetall(`${prefix}value:${id}`)).to.deep.equal({ field: 'value' })
    })

    it('fail as Redis says, and leave it: the mark of all', async () => {
      const { address } = await issue()
      await redis.del(`${prefix}all`)
      await redis.hset(`${prefix}all`, 'field', 'value')
      // Of a process that has not asked for the time within a second.
      await expectWrongType(() => new RedisStore(client, { prefix }).read(address))
      await expectWrongType(() => store.issue(entry()))
      await expectWrongType(() => store.revokeBatch({ group: null }))
      await expectWrongType(() => store.revokeBatch({ group: address.handle.slice(0, 4) }))
      await expectWrongType(() => store.ping())
      expect(await redis.hgetall(`${prefix}all`)).to.deep.equal({ field: 'value' })
    })
  })
})
