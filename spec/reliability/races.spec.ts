import { expect } from 'chai'
import fc from 'fast-check'
import { Cluster, Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { createSessions, MemoryStore, RedisStore, type SessionStore, type Sessions } from '../../lib/index.js'
import { createSandbox, type Phone, type Sandbox } from '../../sandbox/index.js'
import { keptLog } from '../support/log-lines.js'
import { freshPrefix } from '../support/redis-client.js'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.js'
import { sharedRedis } from '../support/shared-redis.js'

/** By hand: `RACES=2000 npx mocha spec/reliability/races.spec.ts`. */
const RUNS = Number(process.env.RACES ?? 100)
const MOST_SESSIONS = 3
const PROCESSES = 2

const kinds = [
  'login',
  'login',
  'logout',
  'visit',
  'revokeUser',
  'setData',
  'rotate',
  'renew',
  'profile',
] as const
type Kind = (typeof kinds)[number]

/** What one process does, and with which of the tokens that are known. */
const operation = fc.record({
  kind: fc.constantFrom(...kinds),
  process: fc.nat({ max: PROCESSES - 1 }),
  token: fc.nat({ max: 9 }),
})
/** What happens at the same time, one race after the other. */
const races = fc.array(fc.array(operation, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 4 })

/** What must hold after a race. */
interface Known {
  /** Tokens that may be valid. */
  readonly open: Set<string>
  /** Tokens whose end was acknowledged. */
  readonly ended: Set<string>
}

describe('two processes that race on one user', function () {
  this.timeout(600_000)

  const clients: Redis[] = []
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
  })
  after(async () => {
    for (const client of clients) client.disconnect()
    await sandbox.close()
  })

  function start(store: SessionStore): Sessions {
    return createSessions({
      apps: [sandbox.app],
      store,
      wechat: { baseUrl: sandbox.url },
      maxSessionsPerUser: MOST_SESSIONS,
      touchShare: 1e-9,
      logger: keptLog(),
    })
  }

  /** Does one thing; what it acknowledges is known from then on. */
  async function act(kind: Kind, sessions: Sessions, phone: Phone, token: string | undefined, known: Known) {
    const before = [...known.open]
    const end = (...tokens: string[]) => {
      for (const each of tokens) {
        known.open.delete(each)
        known.ended.add(each)
      }
    }
    const newCode = async () => (await phone.wx.login()).code
    if (kind === 'login') return known.open.add((await sessions.login({ code: await newCode() })).token)
    if (kind === 'revokeUser') {
      await sessions.revokeUser(phone)
      return end(...before)
    }
    if (token === undefined) return undefined
    if (kind === 'logout') {
      await sessions.logout(token)
      return end(token)
    }
    if (kind === 'renew') {
      const renewed = await sessions.renew({ token, code: await newCode() })
      end(token)
      return known.open.add(renewed.token)
    }
    const session = await sessions.authenticate(token)
    if (kind === 'setData') return sessions.setData(session, { n: Math.random() })
    if (kind === 'profile') return sessions.setUserInfo(session, { userInfo: { nickName: 'a name' } })
    if (kind === 'visit') return undefined
    const rotated = await sessions.rotate(session)
    end(token)
    return known.open.add(rotated.token)
  }

  const isValid = (sessions: Sessions, token: string) =>
    sessions.authenticate(token).then(
      ({ sessionId }) => sessionId,
      (error: { code?: string }) =>
        error.code === 'ERR_SESSION_UNKNOWN' ? undefined : Promise.reject(error),
    )

  /** All processes agree on what is valid; nothing is that has ended, and no more than there may be. */
  async function expectAgreement(processes: readonly Sessions[], phone: Phone, { open, ended }: Known) {
    const views = await Promise.all(
      processes.map(async (sessions) => {
        const valid = await Promise.all([...open].map((token) => isValid(sessions, token)))
        const listed = (await sessions.list(phone)).map(({ sessionId }) => sessionId)
        const revived = await Promise.all([...ended].map((token) => isValid(sessions, token)))
        expect(revived.filter(Boolean)).to.deep.equal([])
        return { valid: valid.filter(Boolean).sort(), listed: listed.sort() }
      }),
    )
    for (const view of views) expect(view).to.deep.equal(views[0])
    const [{ valid, listed } = { valid: [], listed: [] }] = views
    expect(listed).to.have.length.at.most(MOST_SESSIONS)
    expect(listed).to.deep.equal(valid)
  }

  async function expectNoFault(
    storesOf: () => readonly SessionStore[],
    check = async () => {},
  ): Promise<void> {
    const property = fc.asyncProperty(races, async (rounds) => {
      const processes = storesOf().map(start)
      const phone = sandbox.phone()
      try {
        const known: Known = { open: new Set(), ended: new Set() }
        for (const round of rounds) {
          const tokens = [...known.open]
          const acts = round.map(({ kind, process, token }) =>
            act(
              kind,
              processes[process] as Sessions,
              phone,
              tokens[token % Math.max(1, tokens.length)],
              known,
            ).catch((error: { status?: number }) => {
              // Who comes second finds no session, or a login that was ended meanwhile.
              if (error.status === undefined || error.status >= 500) throw error
            }),
          )
          await Promise.all(acts)
          await expectAgreement(processes, phone, known)
        }
        await check()
      } finally {
        for (const sessions of processes) await sessions.close()
      }
    })
    await fc.assert(property, { numRuns: RUNS })
  }

  it('agree on what is left, in memory', async () => {
    await expectNoFault(() => {
      const store = new MemoryStore()
      return [store, store]
    })
  })

  it('agree on what is left, on one Redis, and leave no key without an end', async () => {
    for (let process = 0; process < PROCESSES; process += 1)
      clients.push(new Redis((await sharedRedis()).url))
    let prefix = ''
    await expectNoFault(
      () => {
        prefix = freshPrefix()
        return clients.map((client) => new RedisStore(client, { prefix }))
      },
      async () => {
        const keys = (await clients[0]?.keys(`${prefix}*`)) ?? []
        const ends = await Promise.all(keys.map((key) => clients[0]?.pttl(key)))
        expect(keys.filter((_, at) => ends[at] === -1)).to.deep.equal([])
      },
    )
  })

  describe('on a Cluster', () => {
    let servers: RedisCluster
    let ofCluster: Cluster[]
    before(async () => {
      servers = await startRedisCluster()
      ofCluster = [1, 2].map(() => new Cluster(servers.nodes))
    })
    after(async () => {
      for (const client of ofCluster) client.disconnect()
      await servers.stop()
    })

    it('agree on what is left', async () => {
      await expectNoFault(() => {
        const prefix = freshPrefix()
        return ofCluster.map((client) => new RedisStore(client, { prefix }))
      })
    })
  })
})
