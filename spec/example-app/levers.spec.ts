import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import supertest from 'supertest'
import { createApp } from '../../example-app/app.js'
import { openShowcaseBed, type ShowcaseBed } from './showcase-bed.js'

const LOGIN = { api: 'login', user: 'alice' }

const interfaces = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
const hasIPv6 = interfaces.some(({ address }) => address === '::1')
const own = ['127.0.0.1', '127.0.0.2', 'localhost', ...(hasIPv6 ? ['[::1]', '[::ffff:127.0.0.1]'] : [])]

/** Where neighbours in the network reach this machine, if it is in one. */
const inTheNetwork = interfaces
  .filter(({ internal, family }) => !internal && family === 'IPv4')
  .map(({ address }) => address)

describe('the levers of the page, where the whole network reaches it', () => {
  let bed: ShowcaseBed
  let port: string

  beforeEach(async () => {
    bed = await openShowcaseBed({ HOST: hasIPv6 ? '::' : '0.0.0.0' })
    port = new URL(bed.url).port
  })
  afterEach(() => bed.close())

  const askForCode = (address: string, headers: Record<string, string> = {}) =>
    supertest(`http://${address}:${port}`).post('/showcase/wechat').set(headers).send(LOGIN)

  it('answer at every address of this machine alone, and their phones reach the app there', async () => {
    for (const address of own) {
      expect((await askForCode(address).expect(200)).body.result).to.have.property('code')
      const asked = supertest(`http://${address}:${port}`)
        .post('/showcase/request')
        .send({ path: '/healthz' })
      expect((await asked.expect(200)).body.answer).to.deep.include({ statusCode: 200 })
    }
  })

  it('give no code of a user to a neighbour, whatever name the neighbour calls', async () => {
    for (const address of inTheNetwork) {
      for (const host of [`${address}:${port}`, `127.0.0.1:${port}`, 'localhost']) {
        await askForCode(address, { host }).expect(403)
      }
      await supertest(`http://${address}:${port}`).get('/').expect(200)
    }
  })

  it('give none to a page of somebody else whose name leads to this machine', async () => {
    for (const host of [
      'evil.example',
      '203.0.113.1',
      '0.0.0.0',
      '[2001:db8::1]',
      '[fe80::1%eth0]',
      '[',
      '::1',
    ])
      await askForCode('127.0.0.1', { host }).expect(403)
  })

  it('give none to a proxy that speaks for somebody else', async () => {
    for (const headers of [
      { forwarded: 'for=203.0.113.1' },
      { 'x-forwarded-for': '203.0.113.1' },
      { 'x-forwarded-for': '127.0.0.1, 203.0.113.1' },
      { 'x-real-ip': '203.0.113.1' },
      { via: '1.1 proxy' },
    ]) {
      await askForCode('127.0.0.1', headers as Record<string, string>).expect(403)
    }
  })

  it('refuse a request without a Host with a sentence, and move nothing', async () => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(
      'POST /showcase/switch HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: 26\r\n\r\n',
    )
    socket.write('{"user":"alice","up":false}')
    const answer = await text(socket)
    expect(answer).to.match(/^HTTP\/1\.1 403 /)
    expect(answer).to.match(/\{"error":"[^"/]+"\}$/)
    const state = await supertest(`http://127.0.0.1:${port}`).get('/showcase/state?user=alice').expect(200)
    expect(state.body).to.include({ wechatUp: true })
  })

  it('give none to whoever has no address, as by a socket in the file system', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weapp-session-socket-'))
    const socketPath = join(folder, 'example')
    const server = createServer(createApp(bed.runtime)).listen(socketPath)
    await once(server, 'listening')
    try {
      const headers = { host: 'localhost' }
      const [answer] = await once(
        request({ socketPath, path: '/showcase/state?user=alice', headers }).end(),
        'response',
      )
      expect(answer.resume().statusCode).to.equal(403)
    } finally {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      rmSync(folder, { recursive: true })
    }
  })
})
