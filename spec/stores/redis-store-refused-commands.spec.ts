import { inspect, isDeepStrictEqual } from 'node:util'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { RedisStore, type SessionStore } from '../../lib/index.js'
import * as keyScripts from '../../lib/stores/redis-key-scripts.js'
import * as userScripts from '../../lib/stores/redis-user-scripts.js'
import { HOUR } from '../../store-contract/store-under-test.js'
import { commandCalls } from '../support/command-calls.js'
import { dataSetOf } from '../support/data-set.js'
import { failureOf } from '../support/failures.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { FIRST, loginOf, NEW, SECOND, userCalls, userStates, valueCalls } from '../support/store-calls.js'

interface Case {
  readonly title: string
  prepare(store: SessionStore): Promise<unknown>
  call(store: SessionStore): Promise<unknown>
}

/** What a case comes to, and by which commands, where nothing is refused. */
interface Example {
  readonly commands: readonly string[]
  readonly outcome: string
}

/** The two cases of `revokeBatch` after its first call, each of which writes otherwise. */
function clearing(state: string, group: string | null): Case {
  let cursor: string | undefined
  return {
    title: `revokeBatch ${group ? 'of a group ' : ''}that clears away a user ${state}`,
    async prepare(store) {
      await userStates[state]?.(store, 'user')
      cursor = (await store.revokeBatch({ group })).next
    },
    call: (store) => store.revokeBatch({ group, cursor }, HOUR),
  }
}

/** Every method, in every way that it may end. */
const cases: readonly Case[] = [
  ...Object.entries(userStates).flatMap(([state, prepare]) =>
    Object.entries(userCalls).map(([method, call]) => ({
      title: `${method}, of a user ${state}`,
      prepare: (store: SessionStore) => prepare(store, 'user'),
      call: (store: SessionStore) => call(store, 'user', HOUR),
    })),
  ),
  ...Object.entries(valueCalls).map(([title, { prepare, call }]) => ({
    title,
    prepare: (store: SessionStore) => prepare(store, 'id'),
    call: (store: SessionStore) => call(store, 'id', HOUR),
  })),
  { title: 'ping', prepare: async () => {}, call: (store) => store.ping() },
  {
    title: 'revokeBatch',
    prepare: async () => {},
    call: (store) => store.revokeBatch({ group: null }, HOUR),
  },
  {
    title: 'revokeBatch of a group',
    prepare: async () => {},
    call: (store) => store.revokeBatch({ group: 'user' }, HOUR),
  },
  ...Object.keys(userStates).flatMap((state) => [null, 'user'].map((group) => clearing(state, group))),
]

/** What is done to the server for the time of a call, and which data sets must stay as they are. */
interface Circumstances {
  readonly begin?: () => Promise<unknown>
  readonly end?: () => Promise<unknown>
  readonly servers?: readonly Redis[]
  /** Whether Redis knows the scripts; by default once it does and once it does not. */
  readonly areKnown?: readonly boolean[]
}

/** All commands that scripts and store use. */
const commands = ['evalsha', 'eval', 'time', 'get', 'set', 'del', 'scan']
const categories = ['read', 'write', 'string', 'keyspace', 'scripting', 'fast', 'slow']

describe('RedisStore to which a command is refused', function () {
  this.timeout(60_000)

  let server: RedisServer
  let admin: Redis
  let limited: Redis
  const examples = new Map<string, Example>()

  before(async () => {
    server = await startRedisServer()
    admin = new Redis(server.url)
    await forbid('-@all')
    limited = new Redis(server.url, { username: 'limited', password: 'secret', enableReadyCheck: false })
    for (const areKnown of [true, false]) {
      for (const each of cases) {
        await prepare(each, areKnown)
        await admin.config('RESETSTAT')
        const outcome = inWords(await each.call(new RedisStore(admin)))
        const calls = await commandCalls(admin)
        examples.set(`${each.title} ${areKnown}`, {
          outcome,
          commands: commands.filter((name) => calls[name]),
        })
      }
    }
  })

  after(async () => {
    limited.disconnect()
    admin.disconnect()
    await server.stop()
  })

  async function forbid(...rules: string[]): Promise<void> {
    await admin.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', '~*', '+@all', ...rules)
  }

  async function prepare(each: Case, areScriptsKnown: boolean): Promise<void> {
    await admin.flushall()
    await each.prepare(new RedisStore(admin))
    await admin.script('FLUSH')
    if (!areScriptsKnown) return
    const scripts = [
      ...Object.values(userScripts).map(({ together }) => together),
      ...Object.values(keyScripts),
    ]
    await Promise.all(scripts.map(({ source }) => admin.script('LOAD', source)))
  }

  /** Goes through all cases while these commands are refused to the client. Returns all that is wrong. */
  async function faultsWithout(
    refused: readonly string[],
    client: Redis,
    { begin, end, servers = [admin], areKnown: knowledge = [true, false] }: Circumstances = {},
  ): Promise<string[]> {
    const faults: string[] = []
    const dataSets = () => Promise.all(servers.map(dataSetOf))
    for (const areKnown of knowledge) {
      for (const each of cases) {
        const { commands, outcome } = examples.get(`${each.title} ${areKnown}`) ?? expect.fail(each.title)
        await prepare(each, areKnown)
        await begin?.()
        const data = await dataSets()
        const result = await each.call(new RedisStore(client)).catch((error: Error) => error)
        const dataAfterwards = await dataSets()
        await end?.()
        if (!commands.some((command) => refused.includes(command))) {
          if (inWords(result) !== outcome)
            faults.push(`${each.title}: ${inWords(result)} instead of ${outcome}`)
          continue
        }
        if (!(result instanceof Error)) faults.push(`${each.title}: ${inWords(result)} instead of a failure`)
        if (!isDeepStrictEqual(dataAfterwards, data)) faults.push(`${each.title} changes something`)
      }
    }
    return faults
  }

  it('has calls that use each of the commands', () => {
    const used = new Set([...examples.values()].flatMap((example) => example.commands))
    expect([...used].sort()).to.deep.equal(commands.toSorted())
  })

  for (const command of commands) {
    it(`fails and changes nothing where it may not use ${command}`, async () => {
      await forbid(`-${command}`)
      expect(await faultsWithout([command], limited)).to.deep.equal([])
    })
  }

  for (const category of categories) {
    it(`fails and changes nothing where it may use no command of the category ${category}`, async () => {
      await forbid(`-@${category}`)
      const refused = (await admin.call('ACL', 'CAT', category)) as string[]
      expect(await faultsWithout(refused, limited)).to.deep.equal([])
    })
  }

  it('needs no command of the category dangerous', async () => {
    await forbid('-@dangerous')
    expect(await faultsWithout([], limited)).to.deep.equal([])
  })

  it('fails and changes nothing where it may use no key', async () => {
    await forbid('resetkeys')
    expect(await faultsWithout(['evalsha', 'eval'], limited)).to.deep.equal([])
  })

  it('fails and changes nothing where the memory is full', async () => {
    const begin = () => admin.config('SET', 'maxmemory', 1)
    const end = () => admin.config('SET', 'maxmemory', 0)
    expect(await faultsWithout(['set'], admin, { begin, end })).to.deep.equal([])
  })

  it('fails and changes nothing on a replica that takes no writes', async () => {
    await admin.config('SET', 'repl-diskless-sync-delay', 0)
    const copy = await startRedisServer({ args: ['--replicaof', '127.0.0.1', String(server.port)] })
    const replica = new Redis(copy.url)
    const begin = () => admin.wait(1, 0)
    try {
      await begin()
      const circumstances = { begin, servers: [admin, replica], areKnown: [true] }
      expect(await faultsWithout(['set', 'del'], replica, circumstances)).to.deep.equal([])
    } finally {
      replica.disconnect()
      await copy.stop()
    }
  })

  for (const command of commands.filter((name) => !['del', 'scan'].includes(name))) {
    it(`ends no session of a user at the cap by a login that fails as it may not use ${command}`, async () => {
      await admin.flushall()
      const store = new RedisStore(admin)
      for (const id of [FIRST, SECOND]) await store.issue(loginOf('user', id, { maxSessions: 2 }))
      await admin.script('FLUSH')
      await forbid(`-${command}`)
      await failureOf(() => new RedisStore(limited).issue(loginOf('user', NEW, { maxSessions: 2 })))

      const visits = await Promise.all(
        [FIRST, SECOND].map((sessionId) => store.read({ handle: 'user', sessionId })),
      )
      expect(visits.map((visit) => visit?.sessionId)).to.deep.equal([FIRST, SECOND])
      const { sessions } = await store.readUser('user')
      expect(sessions.map(({ sessionId }) => sessionId)).to.deep.equal([FIRST, SECOND])
    })
  }
})

/** A result, but for its moments and durations. */
function inWords(result: unknown): string {
  return result instanceof Error ? String(result) : inspect(result).replace(/\d{6,}/g, 'a number')
}
