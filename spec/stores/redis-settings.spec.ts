import { expect } from 'chai'
import { Redis, type RedisOptions } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { describe, it } from 'mocha'
import { redisSettings } from '../../lib/index.js'

type Connect = new (options: RedisOptions) => Redis

const DEFAULT_STORE_TIMEOUT_MS = 1000

describe('the settings of a Redis client', () => {
  const attempts = Array.from({ length: 1000 }, (_, index) => index + 1)

  it('never wait longer than 400 ms before the next attempt, however long Redis was away', () => {
    const { retryStrategy } = redisSettings()
    for (const pause of attempts.map(retryStrategy)) expect(pause).to.be.within(25, 400)
  })

  it('begin with a short pause, and do not have all processes come back at the same moment', () => {
    const { retryStrategy } = redisSettings()
    expect(Math.max(...attempts.map(() => retryStrategy(1)))).to.be.at.most(50)
    expect(new Set(attempts.map(() => retryStrategy(9))).size).to.be.above(50)
  })

  it('do not give up a connection before the deadline of a call', () => {
    expect(redisSettings().socketTimeout).to.be.above(DEFAULT_STORE_TIMEOUT_MS)
  })

  for (const [version, Client] of [
    ['ioredis 6', Redis as Connect],
    ['ioredis 5', Redis5 as unknown as Connect],
  ] as const) {
    it(`are all known to ${version}, and can have others behind them`, () => {
      const client = new Client({ ...redisSettings(), lazyConnect: true, keepAlive: 5 })
      const { retryStrategy, keepAlive: _, ...numbers } = redisSettings()
      expect(client.options).to.include({ ...numbers, keepAlive: 5 })
      expect(client.options.retryStrategy).to.be.a('function').and.have.property('name', retryStrategy.name)
      client.disconnect()
    })
  }
})
