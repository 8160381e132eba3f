import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { PROOF_MS } from '../../lib/stores/invalidation-channel.js'
import { Invalidations } from '../../lib/stores/invalidations.js'
import { testClock } from '../support/clock.js'
import { type HeldRedis, startHeldRedis } from '../support/held-redis.js'
import { keepStderr } from '../support/kept-stderr.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'

for (const [version, connect] of [
  ['ioredis 6', (port: number) => new Redis({ port, maxRetriesPerRequest: 1, retryStrategy: () => 5 })],
  ['ioredis 5', (port: number) => new Redis5({ port, maxRetriesPerRequest: 1, retryStrategy: () => 5 })],
] as const) {
  describe(`Invalidations, with ${version}`, () => {
    const now = testClock()
    let server: RedisServer
    let way: HeldRedis
    /** Of the application, and of somebody else. */
    let client: ReturnType<typeof connect>
    let operator: Redis
    let news: (string | null)[]
    let losses: number
    let invalidations: Invalidations

    beforeEach(async () => {
      server = await startRedisServer()
      way = await startHeldRedis(server.port)
      client = connect(way.port)
      client.on('error', () => undefined)
      operator = new Redis(server.url, { retryStrategy: () => 5 })
      operator.on('error', () => undefined)
      news = []
      losses = 0
      invalidations = tell()
    })
    afterEach(async () => {
      invalidations.close()
      client.disconnect()
      operator.disconnect()
      await way.close()
      await server.stop()
    })

    function tell(write = (key: string): Promise<unknown> => client.call('SET', key, 'probe', 'PX', '1000')) {
      return new Invalidations({
        client,
        prefixes: ['mine:{', 'mine:all'],
        newProbe: () => {
          const key = `mine:value:${randomUUID()}`
          return { key, write: () => write(key) }
        },
        onChange: (keys) => news.push(...(keys ?? [null])),
        onLoss: () => {
          losses += 1
        },
        now,
        random: () => 0,
      })
    }

    async function started(): Promise<void> {
      invalidations.start()
      await until(() => invalidations.areTold)
      news = []
    }

    /** The ids of the connections on which Redis tells of changes. */
    async function channels(): Promise<string[]> {
      const list = String(await operator.client('LIST'))
      return [...list.matchAll(/^id=(\d+) .* redir=\d/gm)].map(([, id]) => String(id))
    }

    it('tells which keys change that begin with a prefix', async () => {
      await started()
      await operator.mset('mine:{a}', '1', 'other:{a}', '1', 'mine:value:a', '1', 'mine:all', '1')
      await operator.set('mine:{b}', '1', 'PX', 1)
      await until(() => news.includes('mine:{b}'))
      expect(news.slice(0, 3).sort()).to.deep.equal(['mine:all', 'mine:{a}', 'mine:{b}'])
    })

    it('tells that all keys may have changed after FLUSHALL', async () => {
      await started()
      await operator.flushall()
      await until(() => news.length > 0)
      expect(news).to.deep.equal([null])
    })

    it('does not count before it has told of a change that was made over the connection of the application', async () => {
      invalidations.close()
      invalidations = tell(async () => 'not written')
      invalidations.start()
      await until(() => client.status === 'ready')
      await until(async () => (await channels()).length === 1)
      for (let n = 0; n < 20; n += 1) await operator.set('mine:{a}', n)
      expect(invalidations.areTold).to.equal(false)
    })

    it('counts for a second from the question of the last answered PING', async () => {
      await started()
      server.pause()
      now.advance(PROOF_MS - 1)
      expect(invalidations.areTold).to.equal(true)
      now.advance(1)
      expect(invalidations.areTold).to.equal(false)
      expect(losses, 'what is on its way may still come').to.equal(0)
    })

    it('gives a channel up on which PING is not answered in time, and opens another one', async () => {
      await started()
      way.hold('channels')
      invalidations.beat()
      now.advance(PROOF_MS)
      await until(() => losses === 1)
      expect(invalidations.areTold).to.equal(false)
      await until(() => invalidations.areTold)
      await operator.set('mine:{a}', '1')
      await until(() => news.includes('mine:{a}'))
    })

    it('stands still from the moment its channel is closed, and goes on with another one', async () => {
      await started()
      for (const id of await channels()) await operator.client('KILL', 'ID', id)
      await until(() => losses === 1)
      expect(invalidations.areTold).to.equal(false)
      await until(() => invalidations.areTold)
    })

    it('stands still from the moment the connection of the application is closed, and goes on', async () => {
      await started()
      client.disconnect(true)
      await until(() => losses === 1)
      await until(() => invalidations.areTold)
    })

    it('stands still while Redis is gone, and goes on when it is there again', async () => {
      await started()
      await server.kill()
      await until(() => losses === 1)
      expect(invalidations.areTold).to.equal(false)
      await server.restart()
      now.advance(60_000)
      await until(() => invalidations.areTold)
    })

    it('stays still where Redis refuses it, and tries again later and later', async () => {
      const { lines, end } = keepStderr()
      try {
        await operator.acl('SETUSER', 'default', '-client|tracking')
        let attempts = 0
        const duplicate = client.duplicate.bind(client) as (settings: object) => unknown
        Object.assign(client, {
          duplicate: (settings: object) => {
            attempts += 1
            return duplicate(settings)
          },
        })
        invalidations.start()
        await until(async () => lines.length === 1 && (await connections()) === 2)
        expect(attempts).to.equal(1)
        for (let n = 1; n <= 8; n += 1) {
          now.advance(Math.min(30_000, 400 * 2 ** n) - 1)
          invalidations.beat()
          expect(attempts).to.equal(n)
          now.advance(1)
          invalidations.beat()
          expect(attempts).to.equal(n + 1)
          await until(async () => (await refusals()) > n && (await connections()) === 2)
        }
        const line =
          'weapp-session: the local cache of RedisStore stands still: ReplyError (NOPERM in client|tracking)'
        expect(lines).to.deep.equal([`${line}\n`, `${line}; 6 more since it was last logged\n`])
        expect(invalidations.areTold).to.equal(false)
      } finally {
        end()
      }
    })

    it('goes on at once when its clock is set back while it waits to try again', async () => {
      let tries = 0
      invalidations = tell(async (key) => {
        tries += 1
        if (tries === 1) throw new Error('no')
        await client.call('SET', key, 'probe', 'PX', '1000')
      })
      now.advance(3_600_000)
      invalidations.start()
      await until(async () => tries === 1 && (await connections()) === 2)
      now.advance(-3_600_000)
      invalidations.beat()
      await until(() => invalidations.areTold)
    })

    async function connections(): Promise<number> {
      return String(await operator.client('LIST'))
        .trim()
        .split('\n').length
    }

    async function refusals(): Promise<number> {
      const [, count] = /acl_access_denied_cmd:(\d+)/.exec(await operator.info('stats')) ?? []
      const [, rejected] =
        /cmdstat_client\|tracking:.*rejected_calls=(\d+)/.exec(await operator.info('commandstats')) ?? []
      return Number(count ?? rejected ?? 0)
    }

    it('stays closed', async () => {
      await started()
      invalidations.close()
      expect(losses).to.equal(1)
      client.disconnect(true)
      await until(() => client.status === 'ready')
      Object.assign(client, { duplicate: () => expect.fail('a channel is opened') })
      invalidations.start()
      invalidations.beat()
      expect(invalidations.areTold).to.equal(false)
      await until(async () => (await channels()).length === 0)
    })
  })
}
