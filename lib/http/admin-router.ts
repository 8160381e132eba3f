import { type Request, type RequestHandler, type Response, Router } from 'express'
import { type Clock, systemClock } from '../clock.js'
import { WeappError } from '../errors.js'
import { adminActionsOf } from '../flows/administration.js'
import { type AdminAction, Audit, type OnAudit } from '../flows/audit.js'
import { FailureLog } from '../flows/failure-log.js'
import type { Sessions } from '../flows/sessions.js'
import { type Logger, loggerOption } from '../logger.js'
import { checkOptionNames, neededFunction, objectWithMethods } from '../options.js'
import { ADMIN_ROUTES, type AdminRoute } from '../protocols/admin-routes.js'
import { problemReply } from '../protocols/problem.js'
import { type Authorize, whoActs } from './authorize.js'
import { handleBadPath } from './bad-path.js'
import { readJsonBody } from './json-body.js'
import { handleOtherMethods } from './other-methods.js'
import { HttpWireRequest, isResponding, sendError, sendReply } from './wire.js'

/** Options of {@link adminRouter}. */
export interface AdminRouterOptions {
  /** The sessions to administer; narrowed to an app, those of that app only. */
  sessions: Sessions
  /** Says who acts. There is no default. */
  authorize: Authorize
  /** Told of everything that is done, and of what was denied. There is no default. */
  onAudit: OnAudit
  /** Gets the few lines for the operator. Default: stderr. */
  logger?: Logger
  /** The time in the events. Default: `Date.now`. */
  clock?: Clock
}

const METHODS = ['list', 'find', 'revoke', 'revokeUser', 'revokeAll', 'forgetUser', 'with']
const JSON_TYPE = /^application\/json\s*(?:;|$)/i
const WORDS = { writeError: problemReply }

/**
 * Returns an Express router for operators, to be mounted at a path of its own. Openids are in JSON bodies,
 * never in a path:
 *
 * - `POST /users/sessions`, `POST /users/revoke`, `POST /users/forget` with `{ appid, openid }`: list or end
 *   the sessions of a user, or leave nothing of the user.
 * - `GET /sessions/:id`, `DELETE /sessions/:id`: find or end one, whoever its user is.
 * - `POST /apps/revoke` with `{ appid }`, `POST /everybody/revoke` with `{ "everybody": true }`: end all.
 *   With sessions that are narrowed to an app the last one is not there.
 *
 * A request that `authorize` does not allow is 403 `ERR_NOT_AUTHORIZED`. Bodies must be `application/json`,
 * which a page of another site cannot send without CORS. Failures are problem details; a bug goes to `next`.
 * Wrong options throw a `TypeError`.
 *
 * @example
 * app.use('/admin/weapp', adminRouter({
 *   sessions,
 *   authorize: async (req) => (await operatorOf(req))?.name,
 *   onAudit: (event) => audits.insert(event),
 * }))
 */
export function adminRouter(options: AdminRouterOptions): Router {
  checkOptionNames<AdminRouterOptions>('adminRouter', options, {
    sessions: true,
    authorize: true,
    onAudit: true,
    logger: true,
    clock: true,
  })
  const { clock = systemClock } = options
  const sessions = objectWithMethods(
    'adminRouter: sessions',
    options.sessions,
    METHODS,
    'what createSessions() returns',
  )
  if (!Array.isArray(sessions.apps?.appids)) throw new TypeError('adminRouter: sessions must have apps')
  const authorize = neededFunction('adminRouter: authorize', options.authorize)
  const onAudit = neededFunction('adminRouter: onAudit', options.onAudit)
  const logger = loggerOption('adminRouter: logger', options.logger)
  const failureLog = new FailureLog(logger, neededFunction('adminRouter: clock', clock))
  const audit = new Audit({ onAudit, failureLog, clock })

  async function allowed(req: Request, action: AdminAction): Promise<string> {
    try {
      return await whoActs(authorize, req, action, failureLog)
    } catch (error) {
      await audit.denied(action)
      throw error
    }
  }

  function handlerOf(route: AdminRoute): RequestHandler {
    return async function handleAdmin(req: Request, res: Response, next) {
      try {
        const who = await allowed(req, route.action)
        if (isResponding(res)) return
        const body = route.body === 'json' ? await jsonOf(req, res) : undefined
        const actions = adminActionsOf(who, sessions, audit)
        sendReply(res, await route.handle(actions, new HttpWireRequest(req, route.path, body)))
      } catch (error) {
        sendError(error, WORDS, res, next)
      }
    }
  }

  const routes = ADMIN_ROUTES.filter(({ action }) => action !== 'revokeAll' || !sessions.apps.isNarrowed)
  const router = Router()
  for (const route of routes) router[route.method](route.path, handlerOf(route))
  handleOtherMethods(router, { ...WORDS, routes })
  router.use(handleBadPath(WORDS))
  return router
}

/** A form of another site can send text, but no `application/json`. */
async function jsonOf(req: Request, res: Response): Promise<unknown> {
  if (JSON_TYPE.test(req.headers['content-type'] ?? '')) return readJsonBody(req, res)
  throw new WeappError('ERR_BODY_INVALID', 'Send the body as application/json.')
}
