import express, { type Express, type RequestHandler, type Router } from 'express'
import { healthRouter, loginRouter, problemHandler, requireSession, type Sessions } from 'weapp-session'
import { errorHandler, notFoundHandler } from './error-handlers.js'
import { olderClients } from './older-clients.js'
import type { Showcase } from './showcase/showcase.js'
import { showcaseRouter } from './showcase/showcase-router.js'
import { traceRequests } from './showcase/trace.js'
import type { UserTable } from './users.js'

export interface AppParts {
  readonly sessions: Sessions
  readonly users: Pick<UserTable, 'of'>
  /** The page at `/` and what it needs; missing with real credentials. */
  readonly showcase?: Showcase | undefined
}

/** Login routes, a few protected routes, those for older clients, and health checks. Needs only Express. */
export function assembleApp(
  { sessions, users, showcase }: AppParts,
  headers: RequestHandler,
  more: readonly Router[] = [],
): Express {
  const app = express().disable('x-powered-by')
  app.use(headers)
  app.use(healthRouter({ sessions }))
  if (showcase) app.use(traceRequests, showcaseRouter(sessions, showcase))
  // On the page one visitor is all phones, and each step of the store is shown.
  const mount = showcase ? { sessions, limit: false as const } : { sessions }
  app.use(loginRouter(mount))

  app.get('/me', requireSession({ sessions }), (req, res) => {
    const { openid, userInfo } = req
    const { appid, lastVisitAt } = req.weapp
    res.json({ userInfo, lastVisitAt, user: users.of({ appid, openid, userInfo }) })
  })

  app.post('/steps', requireSession({ sessions }), express.json(), (req, res, next) => {
    req.weapp.decrypt(req.body, { as: 'weRun' }).then(({ stepInfoList }) => res.json({ stepInfoList }), next)
  })

  for (const router of more) app.use(router)
  app.use(olderClients(mount))

  app.use(notFoundHandler)
  app.use(problemHandler(), errorHandler)
  return app
}
