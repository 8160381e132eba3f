import { randomBytes } from 'node:crypto'
import express, { type NextFunction, type Request, type Response } from 'express'
import { Redis } from 'ioredis'
import { DAY_SECONDS, SESSION_DAYS } from '../sample-users.js'
import { type Peer, sessionContent } from './peer.js'

interface Kept {
  readonly openid: string
}

/** What somebody writes in an hour: a GET, which ioredis sends together with others, and JSON.parse. */
export const handWritten: Peer = {
  packages: ['ioredis'],
  express: 'express',
  async open(redisUrl) {
    const redis = new Redis(redisUrl, { enableAutoPipelining: true })
    const app = express()
    async function readSession(req: Request, res: Response, next: NextFunction) {
      const token = req.headers['x-3rd-session']
      const text = await redis.get(`session:${token}`)
      if (text === null) {
        res.status(401).json({ error: 'no session' })
        return
      }
      Object.assign(req, { session: JSON.parse(text) })
      next()
    }
    app.get('/me', readSession, (req, res) => {
      const { session } = req as Request & { session: Kept }
      res.json({ openid: session.openid })
    })
    return {
      listener: app,
      logIn: (users) =>
        Promise.all(
          users.map(async (user) => {
            const token = randomBytes(48).toString('base64url')
            const text = JSON.stringify(sessionContent(user))
            await redis.set(`session:${token}`, text, 'EX', SESSION_DAYS * DAY_SECONDS)
            return { 'x-3rd-session': token }
          }),
        ),
    }
  },
}
