import { createPublicKey } from 'node:crypto'
import { createServer } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { queryObjects } from 'node:v8'
import express, { type ErrorRequestHandler, type Request } from 'express'
import { Redis } from 'ioredis'
import {
  adminRouter,
  createSessions,
  gracefulShutdown,
  loginRouter,
  problemHandler,
  RedisStore,
  redisSettings,
  requireServiceToken,
  requireSession,
  serviceTokens,
  sessionHandler,
} from '../../lib/index.js'
import type { AppRequest, AppSettings, Usage } from './app-server.js'

/* An app server of the soak: a process of its own, which its parent tells what to run on, and asks what it uses. */

const ISSUER = 'https://soak.example.com'
/** Longer than the last requests and `sessions.close()` may take. */
const MOST_END_MS = 20_000
/** Longer than the traffic goes on between two pauses: no client asks on a connection that is just closed. */
const KEEP_ALIVE_MS = 60_000
const BUG = { title: 'Bug', code: 'BUG' }

const { appid, secret, wechatUrl, redisPort, tokenKey } = JSON.parse(process.argv[2] ?? '') as AppSettings

const redis = new Redis({ ...redisSettings(), port: redisPort })
let logLines = 0
function countLine(): void {
  logLines += 1
}
const logger = { warn: countLine, error: countLine }
redis.on('error', () => undefined)
const sessions = createSessions({
  apps: [{ appid, secret }],
  store: new RedisStore(redis),
  wechat: { baseUrl: wechatUrl },
  // Logins whose answer was lost may leave sessions that nobody knows of: they must end no other.
  maxSessionsPerUser: 100,
  logger,
})

const app = express()
app.use(loginRouter({ sessions }))
app.get('/me', requireSession({ sessions }), (req, res) => {
  const { sessionId, data } = req.weapp
  res.json({ ...shownUser(req), sessionId, data })
})
app.put(
  '/data',
  requireSession({ sessions }),
  express.json(),
  sessionHandler(async (req, res) => {
    await req.weapp.setData(req.body)
    res.json(shownUser(req))
  }),
)
app.use(serviceTokens({ sessions, issuer: ISSUER, audiences: ['orders'], keys: [tokenKey], logger }))
const forOrders = { issuer: ISSUER, audience: 'orders', keys: [createPublicKey(tokenKey)], logger }
app.get('/orders', requireServiceToken(forOrders), (req, res) => {
  res.json({ sub: req.serviceToken.sub })
})
app.use(
  '/admin',
  adminRouter({ sessions, authorize: (req) => req.get('x-operator'), onAudit: () => undefined, logger }),
)
app.use(problemHandler())
const tellBug: ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(500).json({ ...BUG, detail: String(error?.stack) })
}
app.use(tellBug)

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, app)
const shutDown = gracefulShutdown(server, { sessions, logger })
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})

process.on('message', (request: AppRequest) => {
  if (request === 'usage') process.send?.(usage())
})
process.on('disconnect', () => process.exit())
process.once('SIGTERM', async () => {
  setTimeout(() => process.exit(1), MOST_END_MS).unref()
  await shutDown()
  redis.disconnect()
  // From here on it has to end by itself: what was left open would show in the exit code.
  process.removeAllListeners('disconnect')
  process.disconnect()
})

function shownUser({ openid, userInfo }: Request) {
  return { openid, nickName: userInfo?.nickName ?? null }
}

/** What is used once all that can be freed has been. */
function usage(): Usage {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  const handles = process.getActiveResourcesInfo().length
  return { heapBytes: heapUsed + external, handles, timersAndSockets: timersAndSockets(), logLines }
}

/** Node does not list those that keep no process, as most of this package do not: they are counted in the heap. */
function timersAndSockets(): number {
  const timer = setTimeout(() => undefined)
  clearTimeout(timer)
  const counts = [timer.constructor, Socket].map((kind) => queryObjects(kind, { format: 'count' }))
  return counts.reduce((sum, count) => sum + count)
}
