import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { Cluster, Redis } from 'ioredis'
import {
  type AppInfo,
  clusterSettings,
  createSessions,
  loginRouter,
  problemHandler,
  RedisStore,
  redisSettings,
  requireSession,
} from '../../lib/index.js'

/* An app server in a process of its own, on a Redis that fails over. Prints its port; ends with its stdin. */

export interface FailoverAppSettings {
  readonly redis:
    | { readonly sentinels: { host: string; port: number }[]; readonly name: string }
    | { readonly cluster: { host: string; port: number }[] }
    | { readonly port: number }
  readonly waitReplicas: number
  /** Settings of the client behind those that the documents name. */
  readonly client?: object
  readonly apps: readonly AppInfo[]
  readonly wechatUrl: string
}

const {
  redis,
  waitReplicas,
  apps,
  wechatUrl,
  client: own = {},
} = JSON.parse(process.argv[2] ?? '') as FailoverAppSettings
const client =
  'cluster' in redis
    ? new Cluster(redis.cluster, { ...clusterSettings(), ...own })
    : new Redis({ ...redisSettings(), ...redis, ...own })
const sessions = createSessions({
  apps,
  store: new RedisStore(client, { waitReplicas }),
  wechat: { baseUrl: wechatUrl },
})
const app = express().use(loginRouter({ sessions, limit: false }))
app.get('/me', requireSession({ sessions }), (req, res) => res.json({ openid: req.openid }))
app.use(problemHandler())
const now = Date.now
app.post('/clock/:offsetMs', (req, res) => {
  Date.now = () => now() + Number(req.params.offsetMs)
  res.end()
})
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
process.stdout.write(`${(server.address() as AddressInfo).port}\n`)
process.stdin.resume().once('end', () => process.exit())
