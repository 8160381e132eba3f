import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { Cluster, Redis } from 'ioredis'
import { startRedisCluster } from './redis-cluster.js'
import { type RedisServer, startRedisServer } from './redis-server.js'
import { sharedRedis } from './shared-redis.js'

describe('a redis-server of the tests', () => {
  let server: RedisServer
  let client: Redis

  async function start(keepData: boolean): Promise<void> {
    server = await startRedisServer({ keepData })
    client = new Redis(server.url, { retryStrategy: () => 20 })
    client.on('error', () => {})
  }

  afterEach(async () => {
    client.disconnect()
    await server.stop()
  })

  it('comes back empty on the same port after a crash', async () => {
    await start(false)
    await client.set('key', 'value')
    await server.kill()
    await server.restart()
    expect(await client.get('key')).to.equal(null)
  })

  it('comes back with its data when asked to keep them', async () => {
    await start(true)
    await client.set('key', 'value')
    await server.kill()
    await server.restart()
    expect(await client.get('key')).to.equal('value')
  })

  it('hangs while paused, and answers once resumed', async () => {
    await start(false)
    await client.ping()
    server.pause()
    const answer = client.ping()
    expect(await Promise.race([answer, delay(200, 'silence')])).to.equal('silence')
    server.resume()
    expect(await answer).to.equal('PONG')
  })

  it('reports a port that is taken when the port was asked for', async () => {
    await start(false)
    const failure = await startRedisServer({ port: server.port }).catch((error: unknown) => error)
    expect(failure)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/address already in use/i)
  })
})

describe('the shared redis-server', () => {
  it('is one for all specs', async () => {
    expect(await sharedRedis()).to.equal(await sharedRedis())
  })
})

describe('a process that ends with its redis-server running', () => {
  const program = `
    import { Redis } from 'ioredis'
    import { startRedisServer } from '${new URL('./redis-server.ts', import.meta.url)}'
    const { port, url } = await startRedisServer()
    const [, directory] = await new Redis(url).config('GET', 'dir')
    process.stdout.write(port + ' ' + directory + '\\n')`

  for (const [ending, epilogue] of [
    ['throws', 'throw new Error()'],
    ['is interrupted', `process.kill(process.pid, 'SIGINT')`],
    ['is terminated', `process.kill(process.pid, 'SIGTERM')`],
  ] as const) {
    it(`leaves nothing behind when it ${ending}`, async () => {
      const args = ['--import', 'tsx', '--input-type=module', '--eval', `${program}\n${epilogue}`]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
      const [port, directory] = output.trim().split(' ')
      expect(directory).to.include('weapp-session-redis-')
      expect(existsSync(String(directory))).to.equal(false)
      await untilRefused(Number(port))
    })
  }

  async function untilRefused(port: number): Promise<void> {
    while (await accepts(port)) await delay(10)
  }

  async function accepts(port: number): Promise<boolean> {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return true
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  }
})

describe('a Redis cluster of the tests', () => {
  it('answers for keys in all slots from three masters', async () => {
    const { nodes, stop } = await startRedisCluster()
    const cluster = new Cluster(nodes)
    try {
      const keys = Array.from({ length: 600 }, (_, number) => `key:${number}`)
      await Promise.all(keys.map((key) => cluster.set(key, key)))
      expect(await Promise.all(keys.map((key) => cluster.get(key)))).to.deep.equal(keys)
      const sizes = await Promise.all(cluster.nodes('master').map((master) => master.dbsize()))
      expect(sizes).to.have.lengthOf(3).and.not.include(0)
      expect(await cluster.cluster('INFO')).to.include('cluster_slots_ok:16384')
    } finally {
      cluster.disconnect()
      await stop()
    }
  })
})
