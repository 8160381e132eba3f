import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { SessionRequest } from './request.js'

/**
 * Passes what an `async` handler of yours throws to `next`, and so to `problemHandler()`. Express 5 does so
 * by itself; on Express 4 an error that nothing catches ends the process.
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

/**
 * Wraps a handler behind `requireSession()`: its request has `openid`, `userInfo` and `weapp`, also for
 * TypeScript with `checkedRoutes`, and what it throws goes to `next`, as with {@link asyncHandler}. For a
 * request without a session, `next` gets a `TypeError`.
 *
 * @example
 * app.get('/me', requireSession(), sessionHandler((req, res) => res.json({ id: req.weapp.data.userId })))
 */
export function sessionHandler(
  handler: (req: SessionRequest, res: Response, next: NextFunction) => unknown,
): RequestHandler {
  return asyncHandler((req, res, next) => {
    if (req.weapp !== undefined) return handler(req as SessionRequest, res, next)
    throw new TypeError('sessionHandler: there is no session; put requireSession() in front of this handler')
  })
}

/** `next` takes undefined and some strings for "go on". */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown
  } catch {
    // A Proxy need not tell what it is.
  }
  return new Error('something that is not an Error was thrown', { cause: thrown })
}
