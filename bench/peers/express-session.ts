import { randomBytes } from 'node:crypto'
import { RedisStore } from 'connect-redis'
import { sign } from 'cookie-signature'
import express from 'express'
import session, { type SessionData } from 'express-session'
import { createClient } from 'redis'
import { DAY_SECONDS, SESSION_DAYS } from '../sample-users.js'
import { type Peer, sessionContent } from './peer.js'

declare module 'express-session' {
  interface SessionData {
    openid: string
  }
}

const SECRET = 's'.repeat(32)
const maxAge = SESSION_DAYS * DAY_SECONDS * 1000

/** express-session as its README has it, over connect-redis. */
export const expressSession: Peer = {
  packages: ['express-session', 'connect-redis', 'redis'],
  express: 'express',
  async open(redisUrl) {
    const client = await createClient({ url: redisUrl }).connect()
    const store = new RedisStore({ client })
    const app = express()
    app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie: { maxAge } }))
    app.get('/me', (req, res) => {
      res.json({ openid: req.session.openid })
    })
    return {
      listener: app,
      logIn: (users) =>
        Promise.all(
          users.map(async (user) => {
            const id = randomBytes(24).toString('base64url')
            const expires = new Date(Date.now() + maxAge)
            const cookie = { originalMaxAge: maxAge, expires, httpOnly: true, path: '/' }
            await store.set(id, { cookie, ...sessionContent(user) } as SessionData)
            return { cookie: `connect.sid=${encodeURIComponent(`s:${sign(id, SECRET)}`)}` }
          }),
        ),
    }
  },
}
