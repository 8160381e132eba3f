import { once } from 'node:events'
import type { Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { createApp } from '../../example-app/app.js'
import { createHttpServer, type RequestTimeouts } from '../../example-app/http-server.js'
import { type ExampleBed, openExampleBed } from '../support/example-bed.js'

const NEVER_MS = 3_600_000

describe('the HTTP server of the example app', () => {
  let bed: ExampleBed
  let server: Server

  async function start(timeouts?: RequestTimeouts): Promise<string> {
    bed = await openExampleBed({})
    server = createHttpServer(createApp(bed), timeouts).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  afterEach(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
    await bed.closeClean()
  })

  async function logIn(): Promise<string> {
    const { code } = await bed.phone.wx.login()
    return (await supertest(bed.url).post('/login').send({ code }).expect(200)).body.token
  }

  function write(url: string, start: string): Socket {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(start)
    return socket
  }

  it('cuts off a body that never ends, for steps and avatars alike, and goes on', async () => {
    const url = await start({ headersMs: 300, requestMs: 300 })
    const token = await logIn()
    for (const [path, type] of [
      ['/steps', 'application/json'],
      ['/avatar', 'multipart/form-data; boundary=b'],
    ]) {
      const headers = `host: a\r\nx-3rd-session: ${token}\r\ncontent-type: ${type}\r\ncontent-length: 99`
      const socket = write(url, `POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n{`)
      expect(await text(socket)).to.match(/^HTTP\/1\.1 408 /)
    }
    await supertest(url).get('/healthz').expect(200)
  })

  it('cuts off headers that never end', async () => {
    const url = await start({ headersMs: 100, requestMs: NEVER_MS })
    expect(await text(write(url, 'GET /healthz HTTP/1.1\r\nhost: a\r\n'))).to.match(/^HTTP\/1\.1 408 /)
  })

  it('lets a picture of nearly two megabytes in', async () => {
    const url = await start()
    const picture = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(2_000_000)])
    const sent = supertest(url)
      .post('/avatar')
      .set('x-3rd-session', await logIn())
    await sent.attach('avatar', picture, 'me.png').expect(200)
  })
})
