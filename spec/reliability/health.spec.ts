import { expect } from 'chai'
import express from 'express'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest, { type Response } from 'supertest'
import { healthRouter, RedisStore, type Sessions } from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { untilIdle } from '../support/idle.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { until } from '../support/until.js'

const STORE_TIMEOUT_MS = 300

describe('readiness, with liveness apart from it', () => {
  let server: RedisServer
  let redis: Redis
  let operator: Redis
  let bed: TestBed
  let clock: ReturnType<typeof testClock>

  beforeEach(() => start())

  async function start(args: string[] = []): Promise<void> {
    server = await startRedisServer({ keepData: true, args })
    redis = new Redis(server.url, { maxRetriesPerRequest: 1, retryStrategy: () => 20 })
    redis.on('error', () => undefined)
    operator = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 })
    operator.on('error', () => undefined)
    clock = testClock()
    bed = await openTestBed({ store: new RedisStore(redis), storeTimeoutMs: STORE_TIMEOUT_MS, clock })
  }

  afterEach(stop)

  async function stop(): Promise<void> {
    server.resume()
    await bed.close()
    for (const client of [redis, operator]) client.disconnect()
    await server.stop()
  }

  /** Asks as a probe does a second after the last one. */
  async function probe(path = '/readyz', sessions: Sessions = bed.sessions): Promise<Response> {
    clock.advance(1000)
    return supertest(express().use(healthRouter({ sessions }))).get(path)
  }

  /** What a login would meet: the probe has to foresee it. */
  async function expectNotReady(): Promise<void> {
    const { status, body } = await probe()
    expect(status).to.equal(503)
    expect(body).to.deep.equal({ isReady: false, isClosing: false, store: 'down', wechat: 'up' })
    expect((await probe('/healthz')).status).to.equal(200)
    expect(await loginStatus()).to.equal(503)
  }

  async function loginStatus(): Promise<number> {
    const { code } = await bed.phone.wx.login()
    return (await bed.http.post('/login').send({ code })).status
  }

  async function expectReadyAgain(): Promise<void> {
    await until(async () => (await probe()).status === 200)
    // On a busy machine, a deadline that is so short may pass once more.
    await until(async () => (await loginStatus()) === 200)
  }

  it('fails while Redis is dead, and is back with it', async () => {
    expect((await probe()).status).to.equal(200)
    await server.kill()
    await until(async () => (await probe()).status === 503)
    await expectNotReady()
    await server.restart()
    await expectReadyAgain()
  })

  it('fails within the deadline of the store while Redis hangs', async () => {
    await bed.logIn()
    server.pause()
    await expectNotReady()
    server.resume()
    await expectReadyAgain()
  })

  for (const [what, command, undo] of [
    ['is a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    [
      'allows no scripts',
      ['ACL', 'SETUSER', 'default', '-eval', '-evalsha'],
      ['ACL', 'SETUSER', 'default', '+@all'],
    ],
    ['allows no writes', ['ACL', 'SETUSER', 'default', '-set'], ['ACL', 'SETUSER', 'default', '+@all']],
  ] as const) {
    it(`fails while Redis ${what}, though it answers PING, and is back after that`, async () => {
      expect((await probe()).status).to.equal(200)
      await operator.call(command[0], ...command.slice(1))
      expect(await operator.ping()).to.equal('PONG')
      await expectNotReady()
      await operator.call(undo[0], ...undo.slice(1))
      await expectReadyAgain()
    })
  }

  it('fails while Redis serves no slot of its Cluster, though it answers PING, and is back after that', async () => {
    await stop()
    await start(['--cluster-enabled', 'yes'])
    expect(await operator.ping()).to.equal('PONG')
    await expectNotReady()
    await operator.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot))
    await expectReadyAgain()
  })

  it('asks one script of Redis, however many probers ask within a second', async () => {
    await probe()
    // The first probe has the keys looked at as well.
    await untilIdle(bed.sessions)
    const before = await scriptsRun()
    clock.advance(1000)
    const asked = await Promise.all(Array.from({ length: 10 }, () => bed.sessions.health()))
    expect(asked.every(({ isReady }) => isReady)).to.equal(true)
    clock.advance(999)
    await bed.sessions.health()
    expect((await scriptsRun()) - before).to.equal(1)
  })

  async function scriptsRun(): Promise<number> {
    const stats = await operator.info('commandstats')
    return [...stats.matchAll(/^cmdstat_(?:evalsha|eval):calls=(\d+)/gm)].reduce(
      (sum, [, calls]) => sum + Number(calls),
      0,
    )
  }
})
