import type { ErrorRequestHandler } from 'express'
import { problemReply } from '../protocols/problem.js'
import type { Protocol } from '../protocols/protocol.js'
import { sendError } from './wire.js'

/**
 * An error handler that answers every `WeappError` of your own routes, such as one that `req.weapp.decrypt()` threw, as the
 * routes of this package do. All other errors go on to the next handler. Default: problem details, as the native protocol.
 *
 * @example
 * app.post('/steps', requireSession(), async (req, res) => res.json(await req.weapp.decrypt(req.body)))
 * app.use(problemHandler())
 */
export function problemHandler(
  protocol: Pick<Protocol, 'writeError'> = { writeError: problemReply },
): ErrorRequestHandler {
  return function answerProblem(error, _req, res, next) {
    sendError(error, protocol, res, next)
  }
}
