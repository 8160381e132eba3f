import type { ErrorRequestHandler } from 'express'
import { WeappError } from '../errors.js'
import { problemReply } from '../protocols/problem.js'
import type { Protocol } from '../protocols/protocol.js'
import { isResponding, sendError } from './wire.js'

/**
 * Returns an error handler that responds to every `WeappError` of your own routes, such as one from
 * `req.weapp.decrypt()`, as the routes of this package do. All other errors go on to the next handler.
 * Default: problem details, as in the native protocol.
 *
 * @example
 * const steps = asyncHandler(async (req, res) => res.json(await req.weapp.decrypt(req.body, { as: 'weRun' })))
 * app.post('/steps', requireSession(), express.json(), steps)
 * app.use(problemHandler())
 */
export function problemHandler(
  protocol: Pick<Protocol, 'writeError'> = { writeError: problemReply },
): ErrorRequestHandler {
  return function handleProblem(error, _req, res, next) {
    // A bug still goes to the application, and Express closes the connection of a response that was cut off.
    const isOver = error instanceof WeappError && res.writableEnded
    if (isResponding(res) && !isOver) next(error)
    else sendError(error, protocol, res, next)
  }
}
