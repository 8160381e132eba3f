import { type Request, type RequestHandler, type Response, Router } from 'express'
import { checkOptionNames } from '../options.js'
import type { ProtocolRoute } from '../protocols/protocol.js'
import { readJsonBody } from './json-body.js'
import { type MountOptions, readMountOptions } from './mount-options.js'
import { sendError, sendReply, wireRequest } from './wire.js'

/** Options of {@link loginRouter}. */
export interface LoginRouterOptions extends MountOptions {}

/**
 * An Express router with the routes of the protocol; for the native one: `POST /login`, `POST /logout`, `GET /session`,
 * `PUT /session/user-info`, `GET /sessions`, `DELETE /sessions/:id` and `DELETE /sessions` (all others).
 *
 * It parses its own bodies and touches no other route. Failures are answered as problem details; a bug goes to `next`.
 *
 * @example
 * app.use(loginRouter({ sessions }))
 * app.use('/v2', loginRouter())
 */
export function loginRouter(options: LoginRouterOptions = {}): Router {
  checkOptionNames<LoginRouterOptions>('loginRouter', options, {
    sessions: true,
    header: true,
    protocol: true,
  })
  const { sessions, protocol } = readMountOptions('loginRouter', options)

  function handlerOf(route: ProtocolRoute): RequestHandler {
    return async function answerRoute(req: Request, res: Response, next) {
      try {
        const body = route.body === 'json' ? await readJsonBody(req, res) : undefined
        sendReply(res, await route.answer(sessions, wireRequest(req, body)))
      } catch (error) {
        sendError(error, protocol, res, next)
      }
    }
  }

  const router = Router()
  for (const route of protocol.routes) router[route.method](route.path, handlerOf(route))
  return router
}
