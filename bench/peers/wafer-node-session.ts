import { createHash, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { RedisStore } from 'connect-redis'
import type { Request, RequestHandler } from 'express'
import type { SessionData, Store } from 'express-session'
import express4 from 'express4'
import { createClient } from 'redis'
import { APP, DAY_SECONDS, SESSION_DAYS } from '../sample-users.js'
import { type Peer, sessionContent } from './peer.js'

interface WaferOptions {
  appId: string
  appSecret: string
  loginPath: string
  store: Store
}

type Wafer = ((options: WaferOptions) => RequestHandler) & { MemoryStore: new () => Store }

interface Kept {
  readonly openid: string
}

const { appid: appId, secret: appSecret } = APP

/** The middleware of Tencent's Wafer demos, over Express 4 as then, with a store of express-session. */
function wafer(
  packages: readonly string[],
  openStore: (redisUrl: string, wafer: Wafer) => Promise<Store>,
): Peer {
  return {
    packages: ['wafer-node-session', ...packages],
    express: 'express4',
    async open(redisUrl) {
      const waferSession = createRequire(import.meta.url)('wafer-node-session') as Wafer
      const store = await openStore(redisUrl, waferSession)
      const app = express4()
      app.use(waferSession({ appId, appSecret, loginPath: '/login', store }))
      app.get('/me', (req, res) => {
        const { session } = req as Request & { session: Kept }
        res.json({ openid: session.openid })
      })
      return {
        listener: app,
        logIn: (users) =>
          Promise.all(
            users.map(async (user) => {
              const id = randomBytes(32).toString('hex')
              const cookie = { originalMaxAge: SESSION_DAYS * DAY_SECONDS * 1000, path: '/', httpOnly: true }
              const content = { ...sessionContent(user), id, skey: skeyOf(user.sessionKey), cookie }
              await new Promise<void>((resolve, reject) =>
                store.set(id, content as unknown as SessionData, (error) =>
                  error ? reject(error) : resolve(),
                ),
              )
              return { 'x-wx-id': id, 'x-wx-skey': skeyOf(user.sessionKey) }
            }),
          ),
      }
    },
  }
}

function skeyOf(sessionKey: string): string {
  return createHash('sha1')
    .update(appId + appSecret + sessionKey)
    .digest('hex')
}

export const waferInMemory = wafer([], async (_redisUrl, { MemoryStore }) => new MemoryStore())
export const waferOverRedis = wafer(['connect-redis', 'redis'], async (redisUrl) => {
  return new RedisStore({ client: await createClient({ url: redisUrl }).connect() })
})
