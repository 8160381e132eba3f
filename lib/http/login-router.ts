import { type Request, type RequestHandler, type Response, Router } from 'express'
import type { StepUp } from '../flows/step-up.js'
import { booleanOption, checkOptionNames } from '../options.js'
import type { ProtocolRoute } from '../protocols/protocol.js'
import { handleBadPath } from './bad-path.js'
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
   * What `DELETE /sessions`, `DELETE /sessions/:id` of another session, and a phone number that is kept ask
   * for, so that a stolen token is not enough: a login or renewal within `maxAgeSeconds`, else
   * `ERR_LOGIN_TOO_OLD`, and a confirmation within `confirmedWithinSeconds`, else `ERR_CONFIRMATION_REQUIRED`
   * (a phone number is one itself). False: nothing. Default: as `sessions.with` says, else
   * `{ maxAgeSeconds: 600 }`.
   */
  stepUp?: false | StepUp
  /**
   * How many logins may fail or be unfinished, from one address and for one app; more are `ERR_LOGIN_LIMIT`.
   * Default: 600 and 3000 a minute; false: no limit. `Sessions` of your own have none, and asking for one is
   * a `TypeError`.
   */
  limit?: false | LoginLimitOptions
}

/**
 * Returns an Express router with the routes of the protocol. The native one has `POST /login`,
 * `POST /logout`, `POST /session/renewal`, `POST /session/confirmation`, `GET /session`,
 * `PUT /session/user-info`, `POST /session/phone-number`, `GET /sessions`, `DELETE /sessions/:id` and
 * `DELETE /sessions`, which ends all others. Logins and renewals are limited, and what sensitive routes ask
 * for is up to `stepUp`.
 *
 * It parses its own bodies and touches no other path. Failures are sent as problem details,
 * `ERR_METHOD_NOT_ALLOWED` for other methods at these paths too: mount your own routes for those in front. A
 * bug goes to `next`.
 *
 * @example
 * app.use(loginRouter({ sessions }))
 * app.use('/v2', loginRouter({ sessions, limit: { perAddress: 1000 } }))
 */
export function loginRouter(options: LoginRouterOptions = {}): Router {
  checkOptionNames<LoginRouterOptions>('loginRouter', options, {
    ...MOUNT_OPTION_NAMES,
    maxSessionsPerUser: true,
    keepPhoneNumber: true,
    stepUp: true,
    limit: true,
  })
  const { maxSessionsPerUser, keepPhoneNumber, stepUp } = options
  if (keepPhoneNumber !== undefined) booleanOption('loginRouter: keepPhoneNumber', keepPhoneNumber)
  const { sessions, protocol } = readMountOptions('loginRouter', options, {
    maxSessionsPerUser,
    keepPhoneNumbers: keepPhoneNumber,
    stepUp,
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

  const router = Router()
  for (const route of protocol.routes) router[route.method](route.path, handlerOf(route))
  handleOtherMethods(router, protocol)
  router.use(handleBadPath(protocol))
  return router
}
