import { createPublicKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import { Redis } from 'ioredis'
import {
  adminRouter,
  createSessions,
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
/** Long enough for every request under way: their own deadlines are shorter. */
const GRACE_MS = 10_000
const BUG = { title: 'Bug', code: 'BUG' }

const { appid, secret, wechatUrl, redisPort, tokenKey } = JSON.parse(process.argv[2] ?? '') as AppSettings

const redis = new Redis({ ...redisSettings(), port: redisPort })
let logLines = 0
function count(): void {
  logLines += 1
}
const logger = { warn: count, error: count }
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
  res.json({ openid: req.openid, sessionId, data, nickName: req.userInfo?.nickName ?? null })
})
app.put(
  '/data',
  requireSession({ sessions }),
  express.json(),
  sessionHandler(async (req, res) => {
    await req.weapp.setData(req.body)
    res.json({})
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

const server = createServer(app).listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})

process.on('message', (request: AppRequest) => {
  if (request === 'usage') process.send?.(usage())
})
process.on('disconnect', () => process.exit())
process.once('SIGTERM', () => {
  setTimeout(() => process.exit(1), GRACE_MS).unref()
  server.close(async () => {
    await sessions.close()
    redis.disconnect()
    // From here on it has to end by itself: what was left open would show in the exit code.
    process.removeAllListeners('disconnect')
    process.disconnect()
  })
  setInterval(() => server.closeIdleConnections(), 50).unref()
})

/** What is used once all that can be freed has been. */
function usage(): Usage {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.()
  const { heapUsed } = process.memoryUsage()
  return { heapBytes: heapUsed, handles: process.getActiveResourcesInfo().length, logLines }
}
