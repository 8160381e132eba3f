import type { NextFunction, Request, RequestHandler, Response } from 'express'

/**
 * Hands what an `async` handler of your own throws to `next`, and so to `problemHandler()`. Express 5 does so by itself; on Express 4 an
 * error that nobody catches ends the process.
 *
 * @example
 * app.post('/steps', requireSession(), express.json(), asyncHandler(async (req, res) => {
 *   res.json(await req.weapp.decrypt(req.body, { as: 'weRun' }))
 * }))
 */
export function asyncHandler(
  handler: (req: Request, res: Response, next: NextFunction) => unknown,
): RequestHandler {
  return async function handleAsync(req, res, next) {
    try {
      await handler(req, res, next)
    } catch (error) {
      next(asError(error))
    }
  }
}

/** `next` takes nothing, and some texts, for "go on". */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('something that is not an Error was thrown', { cause: thrown })
}
