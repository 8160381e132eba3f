import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { AuthenticateOptions } from '../flows/authenticate.js'
import { booleanOption, checkOptionNames, positiveNumber } from '../options.js'
import type { Session } from '../sessions/session.js'
import { endOfTurn } from '../turn-end.js'
import { hasLeftBody, leftBody } from './json-body.js'
import { MOUNT_OPTION_NAMES, type MountOptions, readMountOptions } from './mount-options.js'
import { attachSession, detachSession } from './request.js'
import { HttpWireRequest, isResponding, sendError } from './wire.js'

/** Options of {@link requireSession}. */
export interface RequireSessionOptions extends MountOptions {
  /**
   * Whether a request without a token may pass, with `req.openid` and `req.weapp` undefined and
   * `req.userInfo` null. A token that is sent must still be valid. Default false.
   */
  optional?: boolean
  /** How long ago the login may be, in seconds, before it is `ERR_LOGIN_TOO_OLD`. Default: no limit. */
  maxAgeSeconds?: number
  /**
   * How long ago the user may have confirmed an action in this session, in seconds, before it is
   * `ERR_CONFIRMATION_REQUIRED`. Default: no confirmation is needed.
   */
  confirmedWithinSeconds?: number
}

/**
 * Returns middleware that lets a request pass only with a live session, and sets `req.openid`, `req.userInfo`
 * and `req.weapp`, and `Cache-Control: no-store`, which a handler may replace. A missing, malformed, unknown,
 * ended or expired token is a 401; a store that fails or is too slow is a 503. A request whose client has
 * gone meanwhile, with its body unread, ends here.
 *
 * @example
 * app.get('/me', requireSession({ sessions }), (req, res) => res.json({ userInfo: req.userInfo }))
 * app.post('/transfer', requireSession({ sessions, confirmedWithinSeconds: 300 }), transfer)
 */
export function requireSession(options: RequireSessionOptions = {}): RequestHandler {
  checkOptionNames<RequireSessionOptions>('requireSession', options, {
    ...MOUNT_OPTION_NAMES,
    optional: true,
    maxAgeSeconds: true,
    confirmedWithinSeconds: true,
  })
  const { sessions, protocol } = readMountOptions('requireSession', options)
  const isOptional = booleanOption('requireSession: optional', options.optional ?? false)
  const { maxAgeSeconds, confirmedWithinSeconds } = options
  const demand: AuthenticateOptions = { maxAgeSeconds, confirmedWithinSeconds }
  for (const [name, seconds] of Object.entries(demand))
    if (seconds !== undefined) positiveNumber(`requireSession: ${name}`, seconds)

  async function findSession(req: Request): Promise<Session | undefined> {
    const left = leftBodyOf(req)
    const body = left && (await left)
    const request = new HttpWireRequest(req, '', body)
    const token = protocol.readToken(request)
    if (isOptional && token === undefined) return undefined
    const options = protocol.readApp ? { ...demand, appid: protocol.readApp(request) } : demand
    return sessions.authenticate(token, options)
  }

  return async function checkSession(req: Request, res: Response, next: NextFunction): Promise<void> {
    try {
      // Requests of one turn go on one after the other, step by step, which takes less CPU than one at a
      // time: the code of each step stays in the cache of the processor.
      await endOfTurn()
      const session = await findSession(req)
      if (isResponding(res) || isAbandoned(req)) return
      // A shared cache stores no response to an Authorization header, but knows no other (RFC 9111, 3.5).
      res.setHeader('Cache-Control', 'no-store')
      if (session) attachSession(req, sessions, session)
      else detachSession(req)
    } catch (error) {
      return sendError(error, protocol, res, next)
    }
    next()
  }
}

/** A body that cannot be read carries no token. Whether it is an error is for the route to say. */
function leftBodyOf(req: Request): Promise<unknown> | undefined {
  return hasLeftBody(req) ? leftBody(req).catch(() => undefined) : undefined
}

/**
 * A parser behind the guard would find a body that it cannot read, and take that for a fault of the server.
 */
function isAbandoned(req: Request): boolean {
  return req.destroyed && !req.readableEnded
}
