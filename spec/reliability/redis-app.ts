import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import { Redis } from 'ioredis'
import {
  createSessions,
  loginRouter,
  problemHandler,
  type RedisSettings,
  RedisStore,
  redisSettings,
  requireSession,
  sessionHandler,
} from '../../lib/index.js'
import type { AppJob, AppUsage } from './redis-app-process.js'

/* An app server on Redis: a process of its own. A login code names its user: no platform is asked. */

type Settings = Partial<RedisSettings> & { readonly commandTimeout?: number }

const CLIENTS: Readonly<Record<AppJob['client'], Settings>> = {
  recommended: redisSettings(),
  impatient: { maxRetriesPerRequest: 1 },
  default: {},
  hasty: { commandTimeout: 300 },
}

const { redisPort, client } = JSON.parse(process.argv[2] ?? '') as AppJob
const redis = new Redis(redisPort, CLIENTS[client])
redis.on('error', () => undefined)

const log: string[] = []
const write = (line: string) => void log.push(line)
const sessions = createSessions({
  apps: [
    {
      appid: 'wx1111111111111111',
      secret: '1'.repeat(32),
      exchange: async (_app, code) => ({ openid: code, sessionKey: Buffer.alloc(16).toString('base64') }),
    },
  ],
  store: new RedisStore(redis),
  logger: { warn: write, error: write },
})

const app = express()
app.use(loginRouter({ sessions, limit: false }))
app.get('/me', requireSession({ sessions }), (req, res) => res.json({ openid: req.openid }))
app.delete(
  '/user',
  requireSession({ sessions }),
  sessionHandler(async (req, res) => {
    await sessions.revokeUser({ openid: req.openid })
    res.json({})
  }),
)
app.use(problemHandler())
const tellBug: ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(500).json({ code: 'BUG', detail: String(error?.stack) })
}
app.use(tellBug)

const server = createServer(app).listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port)
})

process.on('message', () => process.send?.(usage()))
process.on('disconnect', () => process.exit())
process.on('unhandledRejection', (reason) => write(`unhandled: ${reason}`))

function usage(): AppUsage {
  globalThis.gc?.()
  const { commandQueue, offlineQueue } = redis as unknown as Record<string, { readonly length: number }>
  return {
    heapBytes: process.memoryUsage().heapUsed,
    outstanding: (commandQueue?.length ?? 0) + (offlineQueue?.length ?? 0),
    log: log.splice(0),
  }
}
