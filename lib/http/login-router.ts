import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express'
import { WeappError } from '../errors.js'
import { booleanOption, checkOptionNames } from '../options.js'
import type { ProtocolRoute } from '../protocols/protocol.js'
import { createRouteHandler } from './login-handler.js'
import type { LoginLimitOptions } from './login-limits.js'
import { MOUNT_OPTION_NAMES, type MountOptions, readMountOptions } from './mount-options.js'
import { handleOtherMethods } from './other-methods.js'
import { sendError, sendReply } from './wire.js'

/** Options of {@link loginRouter}. */
export interface LoginRouterOptions extends MountOptions {
  /** How many sessions a user may have after a login here. Default: as for the app or in `createSessions`. */
  maxSessionsPerUser?: number
  /**
   * Whether `POST /session/phone-number` keeps the number for `sessions.phoneNumberOf`. Default: as
   * `sessions.with` says, else false.
   */
  keepPhoneNumber?: boolean
  /**
   * How many logins may fail or be unfinished, from one address and for one app; more are `ERR_LOGIN_LIMIT`.
   * Default: 300 and 3000 a minute; false: no limit. Not for `Sessions` of your own.
   */
  limit?: false | LoginLimitOptions
}

/**
 * Returns an Express router with the routes of the protocol. The native one has `POST /login`,
 * `POST /logout`, `GET /session`, `PUT /session/user-info`, `POST /session/phone-number`, `GET /sessions`,
 * `DELETE /sessions/:id` and `DELETE /sessions`, which ends all others.
 *
 * It parses its own bodies and touches no other path. Failures are sent as problem details,
 * `ERR_METHOD_NOT_ALLOWED` for other methods at these paths too: mount your own routes for those in front. A
 * bug goes to `next`.
 *
 * @example
 * app.use(loginRouter({ sessions }))
 * app.use('/v2', loginRouter())
 */
export function loginRouter(options: LoginRouterOptions = {}): Router {
  checkOptionNames<LoginRouterOptions>('loginRouter', options, {
    ...MOUNT_OPTION_NAMES,
    maxSessionsPerUser: true,
    keepPhoneNumber: true,
    limit: true,
  })
  const { maxSessionsPerUser, keepPhoneNumber } = options
  if (keepPhoneNumber !== undefined) booleanOption('loginRouter: keepPhoneNumber', keepPhoneNumber)
  const { sessions, protocol } = readMountOptions('loginRouter', options, {
    maxSessionsPerUser,
    keepPhoneNumbers: keepPhoneNumber,
  })

  const handle = createRouteHandler('loginRouter', sessions, options.limit)

  function handlerOf(route: ProtocolRoute): RequestHandler {
    const words = route.writeError ? { writeError: route.writeError } : protocol
    return async function handleRoute(req: Request, res: Response, next) {
      try {
        sendReply(res, await handle(route, req, res))
      } catch (error) {
        sendError(error, words, res, next)
      }
    }
  }

  const handleBadPath: ErrorRequestHandler = (error, _req, res, next) =>
    sendError(isUndecodable(error) ? badPath() : error, protocol, res, next)

  const router = Router()
  for (const route of protocol.routes) router[route.method](route.path, handlerOf(route))
  handleOtherMethods(router, protocol)
  router.use(handleBadPath)
  return router
}

/** Whether Express could not decode a part of the path, such as `%zz`. */
function isUndecodable(error: unknown): boolean {
  return error instanceof URIError && (error as { status?: unknown }).status === 400
}

function badPath(): WeappError {
  return new WeappError('ERR_REQUEST_INVALID', 'The path cannot be decoded.')
}
