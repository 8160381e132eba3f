import { once } from 'node:events'
import { createServer, IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import {
  connect as connectHttp2,
  createServer as createHttp2Server,
  Http2ServerRequest,
  Http2ServerResponse,
} from 'node:http2'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import express, { type Express, type RequestHandler } from 'express'
import inject, { type DispatchFunc } from 'light-my-request'
import serverless from 'serverless-http'
import {
  asyncHandler,
  type LoginRouterOptions,
  loginRouter,
  problemHandler,
  requireSession,
  type Sessions,
} from '../../lib/index.js'

export interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Answered {
  readonly status: number
  readonly type: string | undefined
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** What runs a back end: the routes of the native protocol, and `/me` and `/steps` behind a guard. */
export interface Host {
  ask(asked: Asked): Promise<Answered>
  close(): Promise<void>
}

/** The limits of the mount, where they are not the default ones. */
type Limit = Pick<LoginRouterOptions, 'limit'> | undefined

interface Connect {
  (request: IncomingMessage, response: ServerResponse): void
  use(...handlers: unknown[]): Connect
}

interface Polka {
  readonly handler: RequestListener
  use(...handlers: unknown[]): Polka
  get(path: string, ...handlers: unknown[]): Polka
  post(path: string, ...handlers: unknown[]): Polka
}

const require = createRequire(import.meta.url)
const connect = require('connect') as () => Connect
const polka = require('polka') as (options: { onError: unknown }) => Polka

/** Every host that is tried, each with a back end of its own on the same sessions. */
export const HOSTS: Readonly<Record<string, (sessions: Sessions, limit?: Limit) => Promise<Host>>> = {
  Express: (sessions, limit) => overHttp(expressApp(sessions, limit)),
  connect: (sessions, limit) => overHttp(connectApp(sessions, limit)),
  polka: (sessions, limit) => overHttp(polkaApp(sessions, limit)),
  'node:http alone': (sessions, limit) => overHttp(bareApp(sessions, limit)),
  'node:http2 alone': (sessions, limit) => overHttp2(bareApp(sessions, limit)),
  'connect on HTTP/2': (sessions, limit) => overHttp2(connectApp(sessions, limit)),
  'Express on HTTP/2, by a bridge': (sessions, limit) => overHttp2(bridged(expressApp(sessions, limit))),
  'Express, injected': async (sessions, limit) => injectedInto(expressApp(sessions, limit)),
  'connect, injected': async (sessions, limit) => injectedInto(connectApp(sessions, limit)),
  'Express, serverless': async (sessions, limit) => serverlessOf(expressApp(sessions, limit)),
  'connect, serverless': async (sessions, limit) => serverlessOf(connectApp(sessions, limit)),
}

/** A handler of an application on a host that knows `node:http` only. */
const me: RequestHandler = (req, res) => {
  res.setHeader('Content-Type', 'application/json')
  res.end(JSON.stringify({ openid: req.openid }))
}

const steps = asyncHandler(async (req, res) => {
  await req.weapp.decrypt({ encryptedData: 'not that', iv: 'not that' })
  res.end()
})

function expressApp(sessions: Sessions, limit: Limit): Express {
  const guard = requireSession({ sessions })
  return express()
    .use(loginRouter({ sessions, ...limit }))
    .get('/me', guard, me)
    .post('/steps', guard, steps)
    .use(problemHandler())
}

function connectApp(sessions: Sessions, limit: Limit): Connect {
  const guard = requireSession({ sessions })
  return connect()
    .use(loginRouter({ sessions, ...limit }))
    .use('/me', guard)
    .use('/me', me)
    .use('/steps', guard)
    .use('/steps', steps)
    .use(problemHandler())
}

function polkaApp(sessions: Sessions, limit: Limit): RequestListener {
  const guard = requireSession({ sessions })
  const app = polka({ onError: problemHandler() })
    .use(loginRouter({ sessions, ...limit }))
    .get('/me', guard, me)
    .post('/steps', guard, steps)
  return app.handler
}

/** Who has no framework calls the handlers one after the other. */
function bareApp(sessions: Sessions, limit: Limit): RequestListener {
  const guard = requireSession({ sessions })
  const routes = loginRouter({ sessions, ...limit })
  const handleProblem = problemHandler()
  return (request, response) => {
    const [req, res] = [request, response] as unknown as Parameters<RequestHandler>
    const fail = (error: unknown) => handleProblem(error, req, res, () => res.destroy())
    const answer = () => (req.url === '/me' ? me : steps)(req, res, fail)
    const checked = (error: unknown) => (error ? fail(error) : answer())
    routes(req, res, (error: unknown) => (error ? fail(error) : guard(req, res, checked)))
  }
}

/** Express by itself knows no HTTP/2; this is what http2-express-bridge makes of it. */
function bridged(app: Express): Express {
  const { request, response } = express
  app.request = Object.create(Http2ServerRequest.prototype, Object.getOwnPropertyDescriptors(request))
  app.response = Object.create(Http2ServerResponse.prototype, Object.getOwnPropertyDescriptors(response))
  for (const prototype of [app.request, app.response]) Object.defineProperty(prototype, 'app', { value: app })
  return app
}

async function overHttp(listener: RequestListener): Promise<Host> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    async ask({ path, ...init }) {
      const res = await fetch(`http://127.0.0.1:${port}${path}`, init)
      const type = res.headers.get('content-type') ?? undefined
      return { status: res.status, type, headers: Object.fromEntries(res.headers), body: await res.text() }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function overHttp2(listener: RequestListener): Promise<Host> {
  // The compatibility layer of node:http2 is made to be taken for node:http.
  const server = createHttp2Server(listener as never).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connectHttp2(`http://127.0.0.1:${port}`)
  return {
    async ask({ method, path, headers, body }) {
      const stream = client.request({ ...headers, ':method': method, ':path': path })
      const answer = once(stream, 'response')
      stream.end(body)
      const [head] = (await answer) as [Record<string, string | undefined>]
      const status = Number(head[':status'])
      return { status, type: head['content-type'], headers: head, body: await text(stream) }
    },
    async close() {
      client.close()
      server.close()
      await once(server, 'close')
    },
  }
}

function injectedInto(app: unknown): Host {
  return {
    async ask({ method, path, headers, body }) {
      const asked = { method, url: path, ...(headers && { headers }), ...(body && { payload: body }) }
      const {
        statusCode: status,
        headers: answered,
        body: payload,
      } = await inject(app as DispatchFunc, asked).finally(restorePrototypes)
      const type = answered['content-type'] as string | undefined
      return { status, type, headers: answered, body: payload }
    },
    async close() {},
  }
}

/** light-my-request leaves its own in the prototypes that all apps of Express share. */
function restorePrototypes(): void {
  Object.setPrototypeOf(express.request, IncomingMessage.prototype)
  Object.setPrototypeOf(express.response, ServerResponse.prototype)
}

function serverlessOf(app: unknown): Host {
  const handler = serverless(app as never)
  return {
    async ask({ method, path, headers = {}, body = '' }) {
      const [rawPath, rawQueryString] = path.split('?')
      const requestContext = { http: { method, sourceIp: '203.0.113.7' } }
      const event = { version: '2.0', rawPath, rawQueryString, headers, body, requestContext }
      const answer = (await handler(event, {})) as {
        statusCode: number
        headers: Record<string, string>
        body: string
      }
      const { statusCode: status, headers: answered } = answer
      return { status, type: answered['content-type'], headers: answered, body: answer.body }
    },
    async close() {},
  }
}
