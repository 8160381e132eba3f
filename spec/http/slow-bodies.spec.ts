import { EventEmitter, once } from 'node:events'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Express, type Request } from 'express'
import { afterEach, describe, it } from 'mocha'
import { BODY_TIMEOUT_MS, readJsonBody } from '../../lib/http/json-body.js'
import { sendError, sendReply } from '../../lib/http/wire.js'
import {
  nativeProtocol,
  type Protocol,
  WeappError,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'
import { readText } from '../package/readme.js'
import { answerOn, openRawServer, type RawServer } from '../support/raw-http.js'
import { openTestBed } from '../support/test-bed.js'
import { unhandledRejectionsDuring } from '../support/unhandled-rejections.js'

const SHORT_MS = 20

/** An app that reads a body as the routes do, and tells of it. */
interface ReadingApp {
  readonly app: Express
  /** `reading` when a body is awaited, `read` with the request when it is there, `failed` with the error when it is not. */
  readonly events: EventEmitter
  readonly bugs: unknown[]
}

describe('a body that is slow', () => {
  let server: RawServer
  let reading: ReadingApp

  async function open(protocol: Protocol = nativeProtocol(), timeoutMs?: number): Promise<Socket> {
    reading = readingApp(protocol, timeoutMs)
    server = await openRawServer(reading.app)
    return server.connect()
  }

  async function post(socket: Socket, headers: readonly string[], start: string | Buffer): Promise<void> {
    const isReading = once(reading.events, 'reading')
    socket.write(['POST / HTTP/1.1', 'Host: a', ...headers, '', ''].join('\r\n'))
    socket.write(start)
    await isReading
  }

  afterEach(async () => {
    await server.close()
    expect(reading.bugs).to.deep.equal([])
  })

  for (const length of ['Content-Length: 1000', 'Transfer-Encoding: chunked']) {
    it(`is answered 408 on a connection that ends (${length})`, async () => {
      const socket = await open(nativeProtocol(), SHORT_MS)
      await post(socket, [length], '5\r\n{"a":')
      const { status, head, body } = await answerOn(socket)
      expect(status).to.equal(408)
      expect(head).to.contain('connection: close').and.contain('content-type: application/problem+json')
      expect(JSON.parse(body)).to.include({ code: 'ERR_BODY_TIMEOUT', title: 'Body timeout', status: 408 })
    })
  }

  const mounts: [name: string, Protocol, words: object][] = [
    ['wafer-server', waferServerProtocol(), { returnCode: 1009, returnMessage: 'REQUEST_IS_NOT_JSON' }],
    ['wxapp', wxappProtocol(), { ok: 'fail' }],
  ]
  for (const [name, protocol, words] of mounts) {
    it(`is answered in the words of the mount (${name})`, async () => {
      const socket = await open(protocol, SHORT_MS)
      await post(socket, ['Content-Length: 1000'], '{')
      const { status, head, body } = await answerOn(socket)
      expect(status).to.equal(200)
      expect(head).to.contain('connection: close')
      expect(JSON.parse(body)).to.include(words)
    })
  }

  for (const encoding of ['identity', 'gzip']) {
    it(`loses its connection although it goes on byte by byte, the answer unread (${encoding})`, async () => {
      const socket = await open(nativeProtocol(), SHORT_MS)
      const start = gzipSync('{"a":1').subarray(0, 12)
      await post(socket, ['Content-Length: 60000', `Content-Encoding: ${encoding}`], start)
      socket.on('error', () => undefined).pause()
      const drip = setInterval(() => socket.write(' '), 1)
      await server.untilAllClosed()
      clearInterval(drip)
      socket.destroy()
    })
  }

  it('has as long as the documents say', () => {
    expect(readText('docs/error-codes.md')).to.include(`within ${BODY_TIMEOUT_MS / 1_000} seconds`)
  })

  it('that nobody reads loses its connection some time after the answer, which is heard', async () => {
    reading = readingApp(nativeProtocol(), undefined)
    const app = express().use((_req, res) => sendReply(res, { status: 401, body: { code: 'no' } }, SHORT_MS))
    server = await openRawServer(app)
    const socket = await server.connect()
    const drip = setInterval(() => socket.write(' '), 1)
    socket.write(['POST /logout HTTP/1.1', 'Host: a', 'Content-Length: 60000', '', '{'].join('\r\n'))
    const { status, head } = await answerOn(socket)
    clearInterval(drip)
    expect(status).to.equal(401)
    expect(head).to.not.contain('connection: close')
  })

  it('that nobody reads costs its sender neither the answer nor the connection when it arrives', async () => {
    const bed = await openTestBed()
    reading = readingApp(nativeProtocol(), undefined)
    server = await openRawServer(bed.app)
    const socket = await server.connect()
    let received = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      received += chunk
    })
    const lines = ['POST /logout HTTP/1.1', 'Host: a', 'x-3rd-session: no', 'Content-Length: 300000', '', '']
    for (const request of [1, 2]) {
      socket.write(lines.join('\r\n') + 'x'.repeat(300_000))
      while (received.split('HTTP/1.1 401').length <= request) await once(socket, 'data')
    }
    socket.destroy()
    await bed.close()
  })

  it('leaves no promise without a handler', async () => {
    const reasons = await unhandledRejectionsDuring(async () => {
      const socket = await open(nativeProtocol(), SHORT_MS)
      await post(socket, ['Content-Length: 1000'], '{')
      await answerOn(socket)
      await server.untilAllClosed()
    })
    expect(reasons).to.deep.equal([])
  })

  for (const encoding of ['identity', 'gzip']) {
    it(`ends the wait at once when its sender goes away (${encoding})`, async () => {
      const socket = await open()
      const failed = once(reading.events, 'failed')
      await post(
        socket,
        ['Content-Length: 1000', `Content-Encoding: ${encoding}`],
        gzipSync('{}').subarray(0, 5),
      )
      socket.destroy()
      const [error] = await failed
      expect(error).to.include({ name: 'WeappError', code: 'ERR_BODY_INVALID' })
    })
  }

  it('is no bug when its sender is gone before it is read', async () => {
    const socket = await open()
    const arrived = once(reading.events, 'arrived')
    const failed = once(reading.events, 'failed')
    socket.write('POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{')
    await arrived
    socket.destroy()
    await failed
  })

  it('is read when it is complete in time, and leaves no listener on its connection', async () => {
    const socket = await open()
    socket.resume()
    const counts: number[] = []
    for (let round = 0; round < 20; round += 1) {
      const read = once(reading.events, 'read')
      await post(socket, ['Content-Length: 7'], '{"a":')
      socket.write('1}')
      const [req] = (await read) as [Request]
      expect(req.body).to.deep.equal({ a: 1 })
      await new Promise((resolve) => req.res?.once('close', resolve))
      counts.push(listenersOn(req.socket) + listenersOn(req))
    }
    expect(new Set(counts.slice(1)).size).to.equal(1)
  })
})

function readingApp(protocol: Protocol, timeoutMs: number | undefined): ReadingApp {
  const events = new EventEmitter()
  const bugs: unknown[] = []
  const app = express()
  app.post('/late', (req, _res, next) => {
    events.emit('arrived')
    req.once('close', () => next())
  })
  app.post(['/', '/late'], async (req, res, next) => {
    try {
      const read = readJsonBody(req, res, timeoutMs)
      events.emit('reading')
      if ((await read) === undefined) throw new WeappError('ERR_BODY_INVALID', 'There is no body.')
      events.emit('read', req)
      res.end()
    } catch (error) {
      events.emit('failed', error)
      sendError(error, protocol, res, next)
    }
  })
  const keepBug: ErrorRequestHandler = (error, _req, res, _next) => {
    bugs.push(error)
    res.status(500).end()
  }
  return { app: app.use(keepBug), events, bugs }
}

function listenersOn(emitter: NodeJS.EventEmitter): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)
}
