import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import express, { type ErrorRequestHandler, type Express, type Response } from 'express'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  asyncHandler,
  loginRouter,
  MemoryStore,
  problemHandler,
  requireSession,
  waferProtocol,
  waferServerProtocol,
  wxappProtocol,
} from '../../lib/index.js'
import { testClock } from '../support/clock.js'
import { openTestBed, type TestBed } from '../support/test-bed.js'
import { type WatchedStore, watchStore } from '../support/watched-store.js'

interface Ask {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

interface Answer {
  readonly status: number
  readonly body: string
  /** By which the connection is known. */
  readonly port: number | undefined
}

const TIMED_OUT = { status: 503, body: 'timed out' }

describe('what somebody else has answered meanwhile', () => {
  let bed: TestBed
  let store: WatchedStore
  let server: Server
  let agent: Agent
  let token: string
  /** The answer of each request that is under way, for the timeout to end. */
  let open: Response[]
  const heard: unknown[] = []

  beforeEach(async () => {
    const clock = testClock()
    store = watchStore(new MemoryStore({ clock }))
    bed = await openTestBed({ clock, store })
    token = await bed.logIn()
    open = []
    heard.length = 0
    agent = new Agent({ keepAlive: true, maxSockets: 1 })
    server = createServer(appWithTimeout()).listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  afterEach(async () => {
    agent.destroy()
    server.close()
    server.closeAllConnections()
    await bed.close()
  })

  function appWithTimeout(): Express {
    const { sessions } = bed
    const guard = requireSession({ sessions })
    const keep: ErrorRequestHandler = (error, _req, _res, next) => {
      heard.push(error)
      next(error)
    }
    return express()
      .set('env', 'test')
      .use((_req, res, next) => {
        open.push(res)
        next()
      })
      .use('/wafer', loginRouter({ sessions, protocol: waferProtocol() }))
      .use('/mina_auth', loginRouter({ sessions, protocol: waferServerProtocol() }))
      .use('/mina', loginRouter({ sessions, protocol: wxappProtocol() }))
      .use(loginRouter({ sessions }))
      .get('/me', guard, (req, res) => void res.json({ openid: req.openid }))
      .post(
        '/steps',
        guard,
        express.json(),
        asyncHandler(async (req, res) => res.json(await req.weapp.decrypt(req.body))),
      )
      .post(
        '/half',
        guard,
        asyncHandler(async (req, res) => {
          res.write('half of an answer')
          await req.weapp.decrypt({ encryptedData: 'no', iv: 'no' })
        }),
      )
      .use(problemHandler())
      .use(keep)
  }

  function timeOut(): void {
    for (const res of open.splice(0)) res.status(TIMED_OUT.status).end(TIMED_OUT.body)
  }

  function start({ method, path, headers, body }: Ask) {
    const { port } = server.address() as AddressInfo
    const text = body && JSON.stringify(body)
    const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }
    const req = request({ agent, port, method, path, headers: { ...headers, ...length } })
    return { req, text }
  }

  async function answerTo(req: ReturnType<typeof request>): Promise<Answer> {
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    const port = res.socket.localPort
    return { status: res.statusCode ?? 0, body: await text(res), port }
  }

  /** The answer of the timeout, sent while the store is asked; then that of the next request on the same connection. */
  async function overtaken(ask: Ask): Promise<[late: Answer, next: Answer]> {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    store.before = () => {
      timeOut()
      return released
    }
    const { req, text: sent } = start(ask)
    const answer = answerTo(req)
    req.end(sent)
    const late = await answer
    store.before = () => undefined
    release()
    // All that the overtaken handler has still to do without asking anybody.
    for (let round = 0; round < 20; round += 1) await turn()
    const { req: nextReq } = start({ method: 'GET', path: '/me', headers: { 'x-3rd-session': token } })
    const next = answerTo(nextReq)
    nextReq.end()
    return [late, await next]
  }

  function expectQuiet([late, next]: [Answer, Answer]): void {
    expect(late).to.include(TIMED_OUT)
    expect(next).to.include({ status: 200, port: late.port })
    expect([...heard, ...bed.bugs]).to.deep.equal([])
  }

  const cases: Readonly<Record<string, () => Promise<Ask>>> = {
    'a guard that lets pass': async () => ({
      method: 'GET',
      path: '/me',
      headers: { 'x-3rd-session': token },
    }),
    'a guard that refuses': async () => ({
      method: 'GET',
      path: '/me',
      headers: { 'x-3rd-session': await bed.logIn().then(ended) },
    }),
    'a login': async () => ({ method: 'POST', path: '/login', body: { code: await newCode() } }),
    'a login that fails': async () => ({ method: 'POST', path: '/login', body: { code: await badCode() } }),
    'a logout': async () => ({
      method: 'POST',
      path: '/logout',
      headers: { 'x-3rd-session': await bed.logIn() },
    }),
    'a login of Wafer 1': async () => ({
      method: 'GET',
      path: '/wafer/login',
      headers: { 'x-wx-code': await newCode() },
    }),
    'a failed login of Wafer 1': async () => ({
      method: 'GET',
      path: '/wafer/login',
      headers: { 'x-wx-code': await badCode() },
    }),
    'a login of wxapp': async () => ({
      method: 'POST',
      path: '/mina/login',
      body: { code: await newCode() },
    }),
    'a check of the session server': async () => ({
      method: 'POST',
      path: '/mina_auth',
      body: {
        interface: { interfaceName: 'qcloud.cam.auth', para: { id: token.slice(0, 20), skey: token } },
      },
    }),
    'a route of the application that fails': async () => ({
      method: 'POST',
      path: '/steps',
      headers: { 'x-3rd-session': token, 'content-type': 'application/json' },
      body: { encryptedData: 'no', iv: 'no' },
    }),
  }

  async function newCode(): Promise<string> {
    return (await bed.phone.wx.login()).code
  }

  async function badCode(): Promise<string> {
    const code = await newCode()
    bed.sandbox.misbehave({ errcode: 40029 }, { times: 1 })
    return code
  }

  async function ended(otherToken: string): Promise<string> {
    await bed.sessions.logout(otherToken)
    return otherToken
  }

  for (const [what, make] of Object.entries(cases)) {
    it(`stays as it is, and the next request on its connection is answered (${what})`, async () => {
      expectQuiet(await overtaken(await make()))
    })
  }

  it('stays as it is while a body is still on its way', async () => {
    const { req } = start({ method: 'POST', path: '/login', headers: { 'content-length': '20' } })
    const answer = answerTo(req)
    req.write('{"code":')
    await once(server, 'request')
    timeOut()
    const late = await answer
    req.end('"a-code-12"}')
    await once(req, 'close')
    const { req: nextReq } = start({ method: 'GET', path: '/me', headers: { 'x-3rd-session': token } })
    const next = answerTo(nextReq)
    nextReq.end()
    expectQuiet([late, await next])
  })

  it('is given up where the application itself breaks off half way, so that nobody takes it for the whole', async () => {
    const { req } = start({ method: 'POST', path: '/half', headers: { 'x-3rd-session': token } })
    const broken = answerTo(req).catch((error) => error)
    req.end()
    expect(await broken).to.be.an('error')
    expect(heard).to.have.lengthOf(1)
  })
})
