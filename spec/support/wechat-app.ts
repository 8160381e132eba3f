import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import express from 'express'
import { Redis } from 'ioredis'
import { createSessions, loginRouter, problemHandler, RedisStore, requireSession } from '../../lib/index.js'
import { limitedLookup } from './limited-lookup.js'

/* A server of an application as a process of its own: prints its port, and does what it is told by messages. */

export interface WechatAppJob {
  readonly redisUrl: string
  readonly apps: readonly { readonly appid: string; readonly secret: string }[]
  readonly baseUrl: string
  readonly timeoutMs: number
  /** A name for which DNS gives no reply until a message says `dns`. */
  readonly silentName?: string
}

/**
 * `{ advanceMs }` moves the clock of the process, `'dns'` has DNS reply for the silent name, `'memory'` asks how
 * much it has, `'end'` ends it.
 */
export type WechatAppOrder = { readonly advanceMs: number } | 'dns' | 'memory' | 'end'

const { redisUrl, apps, baseUrl, timeoutMs, silentName } = JSON.parse(process.argv[2] ?? '') as WechatAppJob
const names = limitedLookup(dns.lookup, silentName)
if (silentName !== undefined) {
  dns.lookup = names.lookup as typeof dns.lookup
  syncBuiltinESMExports()
}

let aheadMs = 0
const redis = new Redis(redisUrl, { maxRetriesPerRequest: 1, retryStrategy: () => 50 })
redis.on('error', () => undefined)
const sessions = createSessions({
  apps,
  store: new RedisStore(redis),
  wechat: { baseUrl, timeoutMs },
  clock: () => Date.now() + aheadMs,
})
const app = express().use(loginRouter({ sessions, limit: false }))
app.get('/me', requireSession({ sessions }), (req, res) => res.json({ openid: req.openid }))
app.get('/access-token', (_req, res, next) => sessions.accessToken().then(() => res.json({}), next))
app.post('/phone-number', express.json(), (req, res, next) =>
  sessions.phoneNumber(req.body).then(() => res.json({}), next),
)
app.use(problemHandler())
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' && address?.port })
})

process.on('message', async (order: WechatAppOrder) => {
  if (order === 'memory') return process.send?.(process.memoryUsage.rss())
  if (order === 'dns') names.reply()
  else if (order !== 'end') aheadMs += order.advanceMs
  else {
    await sessions.close()
    redis.disconnect()
    server.close()
    server.closeAllConnections()
    return process.disconnect()
  }
  process.send?.('done')
})
