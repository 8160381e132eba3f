import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { Redis } from 'ioredis'
import { createSessions, loginRouter, RedisStore, redisSettings } from '../lib/index.js'
import { profiling } from './profiling.js'
import { replyToParent } from './replies.js'
import { RoundTrips } from './round-trips.js'
import { APP, DAY_SECONDS, SESSION_DAYS } from './sample-users.js'

const MOST_LOGINS = 1_000_000

export type LoginServer = 'bare' | 'hand-written' | 'weapp-session'

export interface LoginServerRequest {
  readonly name: LoginServer
  readonly redisUrl: string
  readonly wechatUrl: string
}

let trips: RoundTrips

replyToParent({
  ...profiling,
  async open({ name, redisUrl, wechatUrl }: LoginServerRequest): Promise<string> {
    const redis = new Redis(redisUrl, redisSettings())
    trips = new RoundTrips(redis)
    const app = express()
    app.use((_req, res, next) => {
      trips.countUntil(res)
      next()
    })
    if (name === 'bare') bare(app)
    else if (name === 'hand-written') handWritten(app, redis, wechatUrl)
    else weappSession(app, redis, wechatUrl)
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/login`
  },
  /** Replies when what goes on after a response has ended. */
  idle: () => trips.idle(),
  /** Redis commands and round trips of all logins so far, up to their response. */
  counts: () => ({ commands: trips.commands, roundTrips: trips.roundTrips }),
})

function bare(app: Express): void {
  app.post('/login', express.json(), (_req, res) => {
    res.json({ token: 't'.repeat(64) })
  })
}

/** What somebody writes in an hour: the exchange, and the session under a random token. */
function handWritten(app: Express, redis: Redis, wechatUrl: string): void {
  app.post('/login', express.json(), async (req, res) => {
    const query = new URLSearchParams({
      appid: APP.appid,
      secret: APP.secret,
      js_code: req.body.code,
      grant_type: 'authorization_code',
    })
    const response = await fetch(`${wechatUrl}/sns/jscode2session?${query}`)
    const { openid, unionid, session_key: sessionKey } = (await response.json()) as Record<string, string>
    if (!openid) {
      res.status(401).json({ error: 'wrong code' })
      return
    }
    const token = randomBytes(48).toString('base64url')
    const text = JSON.stringify({ openid, unionid, sessionKey })
    await redis.set(`session:${token}`, text, 'EX', SESSION_DAYS * DAY_SECONDS)
    res.json({ token })
  })
}

/** `loginRouter()` as in the README. All logins come from one address, so its limits are higher. */
function weappSession(app: Express, redis: Redis, wechatUrl: string): void {
  const store = new RedisStore(redis)
  const sessions = createSessions({ apps: [APP], store, wechat: { baseUrl: wechatUrl } })
  app.use(loginRouter({ sessions, limit: { perAddress: MOST_LOGINS, perApp: MOST_LOGINS } }))
}
