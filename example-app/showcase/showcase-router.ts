import express, { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express'
import type { Sessions } from 'weapp-session'
import { isFromHere } from './from-here.js'
import { askApp, askWechat, type PhoneRequest } from './phone-lines.js'
import type { Showcase } from './showcase.js'
import { TRACE_HEADER } from './trace.js'

const PHONE_APIS = ['login', 'we-run-data', 'phone-number']
const LONGEST_JUMP_SECONDS = 40 * 86_400

/** The page at `/`, the lines of its phones, its levers, and the sources that its log links to. */
export function showcaseRouter(sessions: Sessions, showcase: Showcase): Router {
  const { sandbox, wechat, app, clock, files, sources, store } = showcase

  async function stateOf(user: string) {
    const live = await sessions.list(sandbox.phone({ user })).catch(() => undefined)
    return {
      now: new Date(clock()).toISOString(),
      aheadSeconds: clock.aheadMs() / 1000,
      store,
      storeUp: live !== undefined,
      wechatUp: wechat.isUp(),
      sessionDurationSeconds: app.sessionDurationSeconds,
      sessions: (live ?? []).map(({ sessionId: id, ...times }) => ({ id, ...times, key: `weapp:{…} ${id}` })),
    }
  }

  const router = Router()
  for (const [path, { type, body }] of files)
    router.get(path, (_req, res) => void res.type(type).send(Buffer.from(body)))

  router.use('/showcase', onlyFromHere, express.json({ limit: '100kb' }))
  router.get(
    '/showcase/state',
    reply(async (req) => stateOf(userIn(req.query))),
  )
  router.post(
    '/showcase/request',
    reply(async (req) => askApp(req, phoneRequestIn(req.body))),
  )
  router.post(
    '/showcase/wechat',
    reply(async ({ body }) => {
      if (!PHONE_APIS.includes(body?.api)) throw new Refusal(`"api" must be one of ${PHONE_APIS.join(', ')}`)
      return askWechat(sandbox.url, body.api, userIn(body))
    }),
  )
  router.post(
    '/showcase/time',
    reply(async ({ body }) => {
      const [user, seconds] = [userIn(body), secondsIn(body)]
      clock.advance(seconds * 1000)
      return stateOf(user)
    }),
  )
  router.post(
    '/showcase/rotate',
    reply(async ({ body }) => {
      const user = userIn(body)
      sandbox.rotateSessionKey({ user, appid: app.appid })
      return stateOf(user)
    }),
  )
  router.post(
    '/showcase/switch',
    reply(async ({ body }) => {
      const user = userIn(body)
      await wechat.turn(body.up === true)
      return stateOf(user)
    }),
  )
  router.post(
    '/showcase/reset',
    reply(async ({ body }) => {
      const user = userIn(body)
      // Where the store is away the sessions stay; the page goes on with another user anyway.
      await sessions.revokeUser(sandbox.phone({ user })).catch(() => undefined)
      await wechat.turn(true)
      clock.reset()
      return stateOf(user)
    }),
  )
  router.get(
    '/showcase/sources',
    reply(async () => sources.places),
  )
  router.get('/showcase/sources/:file', (req, res, next) => {
    const file = sources.files[Number(req.params.file)]
    if (file) res.type('text/plain').set('cache-control', 'no-store').send(file.text)
    else next(new Refusal('There is no such file.', 404))
  })
  router.use('/showcase', refuse)
  return router
}

/** The levers are for whoever sits at this machine, and not for the phones of the page. */
const onlyFromHere: RequestHandler = (req, _res, next) => {
  const isPhone = req.get(TRACE_HEADER) !== undefined
  if (isFromHere(req) && !isPhone) next()
  else next(new Refusal('Open this page on the machine that runs it, at 127.0.0.1 or localhost.', 403))
}

function reply(work: (req: Request) => Promise<object>): RequestHandler {
  return (req, res, next) => {
    work(req).then((body) => res.set('cache-control', 'no-store').json(body), next)
  }
}

function userIn(fields: unknown): string {
  const { user } = Object(fields)
  if (typeof user === 'string' && /^[\w-]{1,64}$/.test(user)) return user
  throw new Refusal('"user" must be 1 to 64 letters, digits, - or _')
}

function secondsIn(fields: unknown): number {
  const { seconds } = Object(fields)
  if (typeof seconds === 'number' && seconds > 0 && seconds <= LONGEST_JUMP_SECONDS) return seconds
  throw new Refusal(`"seconds" must be a number above 0, up to ${LONGEST_JUMP_SECONDS}`)
}

function phoneRequestIn(body: unknown): PhoneRequest {
  const { method = 'GET', path, header = {}, data } = Object(body)
  if (typeof path !== 'string' || !path.startsWith('/') || path.startsWith('/showcase')) {
    throw new Refusal('"path" must be a path of the app')
  }
  if (!/^[A-Z]{1,10}$/.test(method)) throw new Refusal('"method" must be an HTTP method')
  const texts = Object.entries(Object(header)).map(([name, value]) => [name, String(value)])
  return { method, path, header: Object.fromEntries(texts), data }
}

class Refusal extends Error {
  readonly status: number

  constructor(message: string, status = 400) {
    super(message)
    this.status = status
  }
}

const refuse: ErrorRequestHandler = (error, _req, res, next) => {
  if (error.status >= 400 && error.status < 500) res.status(error.status).json({ error: error.message })
  else next(error)
}
