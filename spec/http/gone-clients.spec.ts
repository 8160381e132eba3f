import { once } from 'node:events'
import { expect } from 'chai'
import express, { type ErrorRequestHandler } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { requireSession } from '../../lib/index.js'
import { openRawServer, type RawServer } from '../support/raw-http.js'
import { openWireBed, type WireBed } from '../support/wire-bed.js'

describe('a client that has gone while its session was looked up', () => {
  let bed: WireBed
  let server: RawServer
  let token: string
  const seen: unknown[] = []

  beforeEach(async () => {
    seen.length = 0
    bed = await openWireBed((app, sessions) => void app.get('/me', requireSession({ sessions })))
    const { code } = await bed.phone.wx.login()
    token = (await bed.sessions.login({ code })).token
    const app = express()
    const handler: express.RequestHandler = (req, res) => {
      seen.push(req.body)
      res.end()
    }
    app.post('/steps', requireSession({ sessions: bed.sessions }), express.json(), handler)
    const keepError: ErrorRequestHandler = (error, _req, res, _next) => {
      seen.push(error)
      res.end()
    }
    app.use(keepError)
    server = await openRawServer(app)
  })
  afterEach(async () => {
    await server.close()
    await bed.closeClean()
  })

  for (const [what, length, body] of [
    ['in the midst of its body', 100, '{'],
    ['with its body unread', 2, '{}'],
  ] as const) {
    it(`${what} is no fault of the server, which a parser would make of it`, async () => {
      const socket = await server.connect()
      const isGone = new Promise<void>((resolve) => {
        bed.store.before = async () => {
          socket.destroy()
          await once(socket, 'close')
          await server.untilAllClosed()
          resolve()
        }
      })
      const head = ['POST /steps HTTP/1.1', 'Host: a', `X-3rd-Session: ${token}`, `Content-Length: ${length}`]
      socket.write([...head, 'Content-Type: application/json', '', body].join('\r\n'))
      await isGone
      bed.store.before = () => undefined
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      expect(seen).to.deep.equal([])
    })
  }

  it('is nothing that others notice: a body that is there is read', async () => {
    const { status } = await server.ask(
      ['POST /steps HTTP/1.1', `X-3rd-Session: ${token}`, 'Content-Type: application/json'],
      '{"a":1}',
    )
    expect(status).to.equal(200)
    expect(seen).to.deep.equal([{ a: 1 }])
  })
})
