import express, { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express'
import type { Sessions } from 'weapp-session'
import { isFromHere } from './from-here.js'
import { askApp, askWechat, type PhoneRequest } from './phone-lines.js'
import type { Showcase } from './showcase.js'
import { TRACE_HEADER } from './trace.js'

const PHONE_APIS = ['login', 'we-run-data', 'phone-number']
const LONGEST_JUMP_SECONDS = 40 * 86_400

/** The page at `/`, the lines of its phones, and the levers of its world. */
export function showcaseRouter(sessions: Sessions, showcase: Showcase): Router {
  const { sandbox, app, clock, files, store } = showcase
  let isWechatUp = true
  let switched: Promise<void> = Promise.resolve()

  async function stateOf(user: string) {
    const live = await sessions.list(sandbox.phone({ user })).catch(() => undefined)
    return {
      now: new Date(clock()).toISOString(),
      store,
      storeUp: live !== undefined,
      wechatUp: isWechatUp,
      sessionDurationSeconds: app.sessionDurationSeconds,
      sessions: (live ?? []).map(({ sessionId: id, ...times }) => ({ id, ...times, key: `weapp:{…} ${id}` })),
    }
  }

  /** One after the other: two pages may pull it at once. */
  function switchWechat(up: boolean): Promise<void> {
    switched = switched
      .catch(() => undefined)
      .then(async () => {
        if (up === isWechatUp) return
        await (up ? sandbox.bringUp() : sandbox.takeDown())
        isWechatUp = up
      })
    return switched
  }

  const router = Router()
  for (const [path, { type, body }] of files)
    router.get(path, (_req, res) => void res.type(type).send(Buffer.from(body)))

  router.use('/showcase', onlyFromHere, express.json({ limit: '100kb' }))
  router.get(
    '/showcase/state',
    answering(async (req) => stateOf(userIn(req.query))),
  )
  router.post(
    '/showcase/request',
    answering(async (req) => askApp(req, phoneRequestIn(req.body))),
  )
  router.post(
    '/showcase/wechat',
    answering(async ({ body }) => {
      if (!PHONE_APIS.includes(body?.api)) throw new Refusal(`"api" must be one of ${PHONE_APIS.join(', ')}`)
      return askWechat(sandbox.url, body.api, userIn(body))
    }),
  )
  router.post(
    '/showcase/time',
    answering(async ({ body }) => {
      const [user, seconds] = [userIn(body), secondsIn(body)]
      clock.advance(seconds * 1000)
      return stateOf(user)
    }),
  )
  router.post(
    '/showcase/rotate',
    answering(async ({ body }) => {
      const user = userIn(body)
      sandbox.rotateSessionKey({ user, appid: app.appid })
      return stateOf(user)
    }),
  )
  router.post(
    '/showcase/switch',
    answering(async ({ body }) => {
      const user = userIn(body)
      await switchWechat(body.up === true)
      return stateOf(user)
    }),
  )
  router.use('/showcase', answerRefusal)
  return router
}

/** The levers are for whoever sits at this machine. A phone of the page has no business with them. */
const onlyFromHere: RequestHandler = (req, _res, next) => {
  const isPhone = req.get(TRACE_HEADER) !== undefined
  const isGood = isFromHere(req) && !isPhone
  next(
    isGood
      ? undefined
      : new Refusal('Open this page on the machine that runs it, at 127.0.0.1 or localhost.', 403),
  )
}

function answering(work: (req: Request) => Promise<object>): RequestHandler {
  return (req, res, next) => {
    work(req).then((answer) => res.set('cache-control', 'no-store').json(answer), next)
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
  throw new Refusal(`"seconds" must be a number up to ${LONGEST_JUMP_SECONDS}`)
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

const answerRefusal: ErrorRequestHandler = (error, _req, res, next) => {
  if (error.status >= 400 && error.status < 500) res.status(error.status).json({ error: error.message })
  else next(error)
}
