import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect } from 'chai'
import { Redis } from 'ioredis'
import { after, before, describe, it } from 'mocha'
import { createSessions, RedisStore, redisSettings, type Sessions } from '../../lib/index.js'
import { createSandbox, type Sandbox } from '../../sandbox/index.js'
import { keptLog } from '../support/log-lines.js'
import { type RedisServer, startRedisServer } from '../support/redis-server.js'

const SESSIONS = 3_000
/** Two round trips take longer than `storeTimeoutMs`. */
const ROUND_TRIP_MS = 600
const AT_ONCE = 500

/** Writes users with the value of another one, under handles of the same app. */
const COPY = `
local text = redis.call('GET', KEYS[1])
for number = 1, tonumber(ARGV[2]) do
  redis.call('SET', ARGV[1] .. string.format('%016d', number) .. '}', text, 'PX', redis.call('PTTL', KEYS[1]))
end
`

describe('a Redis that is far away', function () {
  this.timeout(60_000)

  let server: RedisServer
  let near: Redis
  let far: Redis
  let way: { readonly port: number; close(): void }
  let sandbox: Sandbox
  let sessions: Sessions

  before(async () => {
    server = await startRedisServer()
    way = await startSlowWay(server.port)
    near = new Redis(server.url)
    far = new Redis({ ...redisSettings(), port: way.port })
    sandbox = await createSandbox()
    sessions = createSessions({
      apps: sandbox.apps,
      store: new RedisStore(far),
      wechat: { baseUrl: sandbox.url },
      logger: keptLog(),
    })
  })
  after(async () => {
    await sessions.close()
    await sandbox.close()
    far.disconnect()
    near.disconnect()
    way.close()
    await server.stop()
  })

  it(`lets revokeAll end ${SESSIONS} sessions and clear them away, a step at a time`, async () => {
    const here = createSessions({
      apps: sandbox.apps,
      store: new RedisStore(near),
      wechat: { baseUrl: sandbox.url },
    })
    const { code } = await sandbox.phone().wx.login()
    const { token } = await here.login({ code })
    const [key = ''] = await near.keys('weapp:{*')
    await near.eval(COPY, 1, key, key.slice(0, key.indexOf('{') + 5), SESSIONS - 1)

    const progress: number[] = []
    const refusals: string[] = []
    const revoked = await sessions.revokeAll({
      onProgress(cleared) {
        progress.push(cleared)
        if (cleared === 0)
          void here.authenticate(token).catch((error: { code: string }) => refusals.push(error.code))
      },
    })
    expect(revoked).to.equal(SESSIONS)
    expect(progress[0]).to.equal(0)
    expect(progress.length).to.be.at.least(SESSIONS / AT_ONCE)
    expect(refusals[0]).to.equal('ERR_SESSION_UNKNOWN')
    await here.close()
  })
})

/** A way to a server on which everything takes its time. */
async function startSlowWay(port: number) {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => setTimeout(() => to.write(bytes), ROUND_TRIP_MS / 2))
      from.on('error', () => undefined)
      from.once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
