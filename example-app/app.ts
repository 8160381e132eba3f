import express, { type Express } from 'express'
import helmet from 'helmet'
import { loginRouter, problemHandler, requireSession, type Sessions } from 'weapp-session'
import { olderClients } from './older-clients.js'
import type { Users } from './users.js'

/** What the app works with. */
export interface ExampleParts {
  readonly sessions: Sessions
  readonly users: Users
}

/** The example: helmet, the login routes, one protected route, the same for older clients, and a health check. */
export function createApp({ sessions, users }: ExampleParts): Express {
  const app = express()
  app.use(helmet())
  app.use(loginRouter({ sessions }))

  app.get('/me', requireSession({ sessions }), (req, res) => {
    const { userId } = req.weapp.data as { userId: number }
    res.json({ userInfo: req.userInfo, lastVisitAt: req.weapp.lastVisitAt, user: users.find(userId) })
  })

  app.use(olderClients(sessions))

  app.get('/healthz', async (_req, res) => {
    const isStoreUp = await sessions.ping().then(
      () => true,
      () => false,
    )
    res.status(isStoreUp ? 200 : 503).json({ store: isStoreUp ? 'up' : 'down' })
  })

  app.use(problemHandler())
  return app
}
