import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import express, { type RequestHandler } from 'express'
import { type Client, ClientError, type ClientOptions, createClient } from '../../client/index.js'
import { problemHandler, requireSession } from '../../lib/index.js'
import type { Phone } from '../../sandbox/index.js'
import { failureOf } from '../support/failures.js'
import { openTestBed, type TestBed, type TestBedOptions } from '../support/test-bed.js'

/** A whole back end with a phone in front of it, on which the client runs. */
export interface ClientBed extends TestBed {
  readonly url: string
  /** Stands between the phones and the app; a test may put something else there. */
  line: RequestHandler
  /** What reached the app, as `POST /login`, in order. */
  readonly asked: string[]
  /** Waits until this has reached the app, so many times in all. */
  reached(line: string, times?: number): Promise<void>
  /** How often that was a login. */
  logins(): number
  /** How long the clients have waited, in milliseconds. */
  readonly waits: number[]
  /** A client on a phone, by default the bed's: as if the mini-program had been started. */
  start(options?: Partial<ClientOptions>, phone?: Phone): Client
  /** The token in the phone's storage. */
  stored(phone?: Phone): string
  /** Ends all sessions at the server, without a word to the phones. */
  endAll(): Promise<void>
}

const pass: RequestHandler = (_req, _res, next) => next()

export async function openClientBed(options: TestBedOptions = {}): Promise<ClientBed> {
  const bed = await openTestBed(options)
  const asked: string[] = []
  const waits: number[] = []
  const countOf = (line: string) => asked.filter((one) => one === line).length

  const app = express()
  app.use((req, _res, next) => {
    asked.push(`${req.method} ${req.path}`)
    next()
  })
  app.use((req, res, next) => own.line(req, res, next))
  app.post('/steps', requireSession({ sessions: bed.sessions }), express.json(), (req, res, next) => {
    req.weapp.decrypt(req.body, { as: 'weRun' }).then((data) => res.json(data), next)
  })
  app.get('/strict', requireSession({ sessions: bed.sessions, maxAgeSeconds: 60 }), (_req, res) => {
    res.json({ ok: true })
  })
  app.post('/avatar', requireSession({ sessions: bed.sessions }), async (req, res) => {
    const form = await new Response(req as never, {
      headers: { 'content-type': String(req.get('content-type')) },
    }).formData()
    const avatar = await (form.get('avatar') as File).text()
    res.json({ openid: req.openid, avatar, avatarUrl: '/avatars/1' })
  })
  app.use(problemHandler())
  app.use(bed.app)
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const own: ClientBed = {
    ...bed,
    url,
    line: pass,
    asked,
    waits,
    async reached(line, times = 1) {
      while (countOf(line) < times) await new Promise(setImmediate)
    },
    logins: () => countOf('POST /login'),
    start: (clientOptions = {}, { wx } = bed.phone) =>
      createClient({
        baseUrl: url,
        wx,
        wait: async (ms) => void waits.push(ms),
        ...clientOptions,
      }),
    stored: (phone = bed.phone) => phone.wx.getStorageSync<string>(`weapp-session:${url}`),
    async endAll() {
      await bed.sessions.revokeAll()
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await bed.close()
    },
  }
  return own
}

/** The error of the client with this code that `work` ends in. */
export async function clientErrorOf(code: string, work: () => unknown): Promise<ClientError> {
  const error = await failureOf(work)
  expect(error).to.be.instanceOf(ClientError)
  expect(error).to.have.property('code', code)
  return error as ClientError
}

/** Lets something else answer the next requests for a path, one after the other; all others pass. */
export function answering(path: string, ...answers: RequestHandler[]): RequestHandler {
  return (req, res, next) => (req.path === path ? (answers.shift() ?? pass)(req, res, next) : next())
}

/** An answer of this status, with `Retry-After` if there is one. */
export function status(code: number, retryAfter?: string): RequestHandler {
  return (_req, res) =>
    void res
      .status(code)
      .set(retryAfter ? { 'Retry-After': retryAfter } : {})
      .end()
}

/** Breaks the connection off before the app has seen the request. */
export const drop: RequestHandler = (req) => void req.socket.destroy()

/** Lets the app do its work, and breaks the connection off in place of the answer. */
export const loseAnswer: RequestHandler = (req, res, next) => {
  res.end = (() => req.socket.destroy()) as unknown as typeof res.end
  next()
}

/** Holds the next request for a path back until it is let go. */
export function holding(path: string): { line: RequestHandler; letGo: () => void } {
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  return { line: answering(path, (_req, _res, next) => void held.then(() => next())), letGo }
}
