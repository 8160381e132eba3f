import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectSecurely, type TLSSocket } from 'node:tls'
import { expect } from 'chai'
import express from 'express'
import { afterEach, describe, it } from 'mocha'
import { gracefulShutdown, healthRouter, type Sessions } from '../../lib/index.js'
import { cert, key } from '../support/localhost-certificate.js'
import { openTestBed } from '../support/test-bed.js'
import { until } from '../support/until.js'

/** No test waits for so long. */
const LONG_MS = 3_600_000
/** By then a server has looked for idle connections: it does so from a second on. */
const SWEPT_MS = 1200
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'

describe('gracefulShutdown', () => {
  let server: Server
  const sockets: Socket[] = []
  /** The responses that the test has to end. */
  const waiting: ServerResponse[] = []
  const log: string[] = []
  const logger = { warn: (line: string) => void log.push(line), error: () => undefined }

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    waiting.length = 0
    log.length = 0
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  })

  const hold: RequestListener = (_req, res) => void waiting.push(res)

  async function start(listener: RequestListener, options = {}) {
    server = createServer(listener)
    const shutDown = gracefulShutdown(server, { logger, ...options })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return shutDown
  }

  async function open(): Promise<Socket> {
    const { port } = server.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    sockets.push(socket)
    await once(socket, 'connect')
    return socket
  }

  const isOver = (work: Promise<unknown>) => {
    const state = { isOver: false }
    void work.then(() => {
      state.isOver = true
    })
    return state
  }

  it('answers requests under way, tells their clients to go, and takes no new connection', async () => {
    const shutDown = await start(hold)
    const socket = await open()
    socket.write(GET)
    await until(() => waiting.length === 1)
    const done = shutDown()
    const state = isOver(done)
    await until(() => !server.listening)
    expect(state.isOver).to.equal(false)
    waiting[0]?.end('answered')
    expect(await text(socket)).to.match(/^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[\s\S]*answered/)
    await done
    expect(log).to.deep.equal([])
  })

  it('answers a request that comes on a connection which seemed idle', async () => {
    const shutDown = await start((_req, res) => res.end('answered'))
    const socket = await open()
    socket.write(GET)
    const [first] = await once(socket, 'data')
    expect(String(first)).to.contain('Connection: keep-alive')
    const done = shutDown()
    await until(() => !server.listening)
    socket.write(GET)
    expect(await text(socket)).to.match(/Connection: close[\s\S]*answered/)
    await done
  })

  it('answers a request that came on such a connection while the process was busy', async () => {
    const shutDown = await start((_req, res) => res.end('answered'))
    const socket = await open()
    const done = shutDown()
    await until(() => !server.listening)
    // Behind the end of a turn timers come first, and then what has been received.
    await new Promise(setImmediate)
    socket.write(GET)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SWEPT_MS)
    expect(await text(socket)).to.contain('answered')
    await done
  })

  it('answers all requests of a client that does not wait for the responses', async () => {
    const shutDown = await start(hold)
    const socket = await open()
    socket.write(GET + GET)
    await until(() => waiting.length === 2)
    const done = shutDown()
    await until(() => !server.listening)
    socket.write(GET)
    await until(() => waiting.length === 3)
    for (const [at, res] of waiting.entries()) res.end(`answer ${at}`)
    const received = await text(socket)
    expect(received.match(/answer \d/g)).to.deep.equal(['answer 0', 'answer 1', 'answer 2'])
    expect(received.match(/Connection: close/g)).to.have.lengthOf(1)
    await done
  })

  it('answers requests on connections that were not accepted yet', async () => {
    const shutDown = await start((_req, res) => res.end('answered'))
    const { port } = server.address() as AddressInfo
    const waitingToBeAccepted = Array.from({ length: 20 }, () => {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.write(GET)
      return socket
    })
    // The system has the connections now, and the server has heard of none.
    await new Promise((resolve) => process.nextTick(resolve))
    const done = shutDown()
    for (const socket of waitingToBeAccepted) expect(await text(socket)).to.contain('answered')
    await done
  })

  it('closes connections on which nothing is asked, whether something ever was or not', async () => {
    const shutDown = await start((_req, res) => res.end('answered'), { graceMs: LONG_MS })
    const [silent, idle] = [await open(), await open()]
    idle.write(GET)
    await once(idle, 'data')
    const closed = [silent, idle].map((socket) => text(socket))
    await shutDown()
    expect(await Promise.all(closed)).to.deep.equal(['', ''])
    expect(log).to.deep.equal([])
  })

  it('closes a connection that has not begun its TLS handshake', async () => {
    const secure = createSecureServer({ cert, key }, hold)
    server = secure as unknown as Server
    const shutDown = gracefulShutdown(server, { logger, graceMs: LONG_MS })
    secure.listen(0, '127.0.0.1')
    await once(secure, 'listening')
    const silent = await open()
    const closed = text(silent)
    await shutDown()
    expect(await closed).to.equal('')
  })

  it('sends responses whole to clients that are slow to read, and closes no other connection before', async () => {
    const size = 8 * 1024 * 1024
    const shutDown = await start((_req, res) => res.end(Buffer.alloc(size, 'x')), { graceMs: LONG_MS })
    const [slow, silent] = [await open(), await open()]
    slow.write(GET)
    await once(slow, 'data')
    slow.pause()
    const done = shutDown()
    await pause(SWEPT_MS)
    slow.resume()
    expect((await text(slow)).length).to.be.above(size / 2)
    silent.destroy()
    await done
    expect(slow.bytesRead).to.be.above(size)
  })

  it('answers what is asked after a response that had begun before the end was known', async () => {
    const shutDown = await start(hold, { graceMs: LONG_MS })
    const socket = await open()
    socket.write(GET)
    await until(() => waiting.length === 1)
    waiting[0]?.write('begun')
    const done = shutDown()
    await pause(SWEPT_MS)
    waiting[0]?.end('ended')
    // As long as several looks for idle connections.
    await pause(200)
    socket.write(GET)
    await until(() => waiting.length === 2)
    waiting[1]?.end('answered')
    expect(await text(socket)).to.match(/begun[\s\S]*ended[\s\S]*Connection: close[\s\S]*answered/)
    await done
  })

  it('closes the sessions of several servers after the last of them, also where somebody else closes them', async () => {
    const bed = await openTestBed()
    const shutDown = await start(hold, { sessions: bed.sessions })
    const idle = createServer()
    const shutDownIdle = gracefulShutdown(idle, { sessions: bed.sessions })
    const slow = await open()
    slow.write(GET)
    await until(() => waiting.length === 1)
    const done = Promise.all([bed.sessions.close(), shutDown(), shutDownIdle()])
    await until(() => !server.listening)
    await pause(50)
    const token = await bed.logIn()
    expect((await bed.sessions.authenticate(token)).openid).to.equal(bed.phone.openid)
    waiting[0]?.end('answered')
    await done
    await bed.me(token).expect(503)
    await bed.close()
  })

  it('ends within its time though it knows only the connections that came after it was made', async () => {
    server = createServer()
    server.on('upgrade', (_req, socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const upgraded = await open()
    upgraded.write(UPGRADE)
    await once(upgraded, 'data')
    await gracefulShutdown(server, { logger, graceMs: 1 })()
  })

  it('cuts off what is not answered in time, also an upgraded connection, and tells how many', async () => {
    const shutDown = await start(hold, { graceMs: 1 })
    server.on('upgrade', (_req, socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
    const [asking, upgraded] = [await open(), await open()]
    for (const socket of [asking, upgraded]) socket.on('error', () => undefined)
    upgraded.write(UPGRADE)
    await once(upgraded, 'data')
    asking.write(GET)
    await until(() => waiting.length === 1)
    const closed = Promise.all([asking, upgraded].map((socket) => once(socket, 'close')))
    await shutDown()
    await closed
    expect(log).to.deep.equal([
      'requests were not answered within 1 ms of the shutdown, and their connections are cut off: 1',
    ])
  })

  it('has /readyz say 503 and goes on listening before the end, and closes the sessions after it', async () => {
    const bed = await openTestBed()
    const app = express().use(healthRouter({ sessions: bed.sessions }))
    app.get('/slow', hold)
    const shutDown = await start(app, { sessions: bed.sessions, delayMs: 1000 })
    const slow = await open()
    slow.write(GET.replace('/', '/slow'))
    await until(() => waiting.length === 1)
    const done = shutDown()
    const probe = await open()
    probe.write(GET.replace('/', '/readyz'))
    expect(await text(probe)).to.match(/^HTTP\/1\.1 503 [\s\S]*Connection: close[\s\S]*"isClosing":true/)
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate)
    expect(server.listening).to.equal(true)
    await until(() => !server.listening)
    const token = await bed.logIn()
    expect((await bed.sessions.authenticate(token)).openid).to.equal(bed.phone.openid)
    waiting[0]?.end('answered')
    expect(await text(slow)).to.contain('answered')
    await done
    await bed.me(token).expect(503)
    await bed.close()
  })

  it('ends a server of node:https as well, without losing what was sent', async () => {
    const secure = createSecureServer({ cert, key }, hold)
    server = secure as unknown as Server
    const shutDown = gracefulShutdown(server, { logger })
    secure.listen(0, '127.0.0.1')
    await once(secure, 'listening')
    const { port } = secure.address() as AddressInfo
    const [asking, silent] = [0, 1].map(() => {
      const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false })
      sockets.push(socket)
      return socket
    }) as [TLSSocket, TLSSocket]
    await Promise.all([asking, silent].map((socket) => once(socket, 'secureConnect')))
    asking.write(GET)
    await until(() => waiting.length === 1)
    const done = shutDown()
    await until(() => !secure.listening)
    waiting[0]?.end('answered')
    expect(await text(asking)).to.match(/Connection: close[\s\S]*answered/)
    await done
    expect(await text(silent)).to.equal('')
  })

  it('shuts down once, however often it is told to, and hands on what close rejects with', async () => {
    let closes = 0
    const sessions = {
      async close() {
        closes += 1
        throw new RangeError('a failure')
      },
    } as unknown as Sessions
    const shutDown = await start(hold, { sessions })
    const done = shutDown()
    expect(shutDown()).to.equal(done)
    const error = await done.catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(RangeError)
    expect(closes).to.equal(1)
  })

  it('ends a server that has stopped already', async () => {
    const shutDown = await start(hold)
    await new Promise((resolve) => server.close(resolve))
    await shutDown()
  })

  it('refuses wrong options', async () => {
    await start(hold)
    const wrong: [unknown, unknown, RegExp][] = [
      [{}, {}, /server must be a Server of node:http or node:https; it has no method "closeIdleConnections"/],
      [server, { grace: 1 }, /unknown option "grace"; known: sessions, graceMs, delayMs, logger/],
      [server, { graceMs: 0 }, /graceMs must be an integer from 1 to 3600000, not 0/],
      [server, { delayMs: -1 }, /delayMs must be an integer from 0 to 3600000, not -1/],
      [
        server,
        { sessions: {} },
        /sessions must be what createSessions\(\) returns; it has no method "close"/,
      ],
      [server, { logger: {} }, /logger must be a Logger such as console; it has no method "warn"/],
    ]
    for (const [host, options, message] of wrong)
      expect(() => gracefulShutdown(host as Server, options as never)).to.throw(TypeError, message)
  })
})
