import express, { type Express } from 'express'
import helmet from 'helmet'
import { loginRouter, problemHandler, requireSession, type Sessions } from 'weapp-session'

/** The example: helmet, the login routes, one protected route, and a health check. */
export function createApp(sessions: Sessions): Express {
  const app = express()
  app.use(helmet())
  app.use(loginRouter({ sessions }))

  app.get('/me', requireSession({ sessions }), (req, res) => {
    res.json({ userInfo: req.userInfo, lastVisitAt: req.weapp.lastVisitAt })
  })

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
