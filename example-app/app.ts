import express, { type Express } from 'express'
import helmet from 'helmet'
import { loginRouter, problemHandler, requireSession, type Sessions } from 'weapp-session'
import { answerFailure, answerUnknownRoute } from './answer-failures.js'
import { avatars } from './avatars.js'
import { olderClients } from './older-clients.js'
import type { Showcase } from './showcase/showcase.js'
import { showcaseRouter } from './showcase/showcase-router.js'
import { traceRequests } from './showcase/trace.js'
import type { Users } from './users.js'

/** What the app works with. */
export interface ExampleParts {
  readonly sessions: Sessions
  readonly users: Users
  /** The page at `/` and what it needs; left out with real credentials. */
  readonly showcase?: Showcase | undefined
}

/** A page loads what this app serves, and nothing else. */
const CONTENT_SECURITY_POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
  },
}

/** The example: helmet, the login routes, a few protected routes, the same for older clients, and a health check. */
export function createApp({ sessions, users, showcase }: ExampleParts): Express {
  const app = express()
  app.use(helmet({ contentSecurityPolicy: CONTENT_SECURITY_POLICY }))
  if (showcase) app.use(traceRequests, showcaseRouter(sessions, showcase))
  app.use(loginRouter({ sessions }))

  app.get('/me', requireSession({ sessions }), (req, res) => {
    const { openid, userInfo } = req
    const { appid, lastVisitAt } = req.weapp
    res.json({ userInfo, lastVisitAt, user: users.of({ appid, openid, userInfo }) })
  })

  app.post('/steps', requireSession({ sessions }), express.json(), (req, res, next) => {
    req.weapp.decrypt(req.body, { as: 'weRun' }).then(({ stepInfoList }) => res.json({ stepInfoList }), next)
  })

  app.use(avatars({ sessions, users }))
  app.use(olderClients(sessions))

  app.get('/healthz', async (_req, res) => {
    const isStoreUp = await sessions.ping().then(
      () => true,
      () => false,
    )
    res.status(isStoreUp ? 200 : 503).json({ store: isStoreUp ? 'up' : 'down' })
  })

  app.use(answerUnknownRoute)
  app.use(problemHandler(), answerFailure)
  return app
}
