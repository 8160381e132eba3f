import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { booleanOption, checkOptionNames, positiveNumber } from '../options.js'
import type { Session } from '../sessions/session.js'
import { leftBody } from './json-body.js'
import { MOUNT_OPTION_NAMES, type MountOptions, readMountOptions } from './mount-options.js'
import { attachSession, detachSession } from './request.js'
import { isAnswered, sendError, wireRequest } from './wire.js'

/** Options of {@link requireSession}. */
export interface RequireSessionOptions extends MountOptions {
  /**
   * Lets a request without a token pass: `req.openid` and `req.weapp` are then undefined, `req.userInfo` is
   * null. A token of ours that is sent has to be good all the same. Default false.
   */
  optional?: boolean
  /**
   * Refuses with `ERR_LOGIN_TOO_OLD` when the login is longer ago, in seconds: for what asks for a fresh
   * login.
   */
  maxAgeSeconds?: number
}

/**
 * Lets a request pass only with a live session, and sets `req.openid`, `req.userInfo` and `req.weapp`.
 *
 * Sets `Cache-Control: no-store`, which a handler may replace. No token, a malformed, unknown, ended or
 * expired one is a 401; a store that fails or is too slow a 503.
 *
 * @example
 * app.get('/me', requireSession({ sessions }), (req, res) => res.json({ userInfo: req.userInfo }))
 */
export function requireSession(options: RequireSessionOptions = {}): RequestHandler {
  checkOptionNames<RequireSessionOptions>('requireSession', options, {
    ...MOUNT_OPTION_NAMES,
    optional: true,
    maxAgeSeconds: true,
  })
  const { sessions, protocol } = readMountOptions('requireSession', options)
  const isOptional = booleanOption('requireSession: optional', options.optional ?? false)
  const { maxAgeSeconds } = options
  if (maxAgeSeconds !== undefined) positiveNumber('requireSession: maxAgeSeconds', maxAgeSeconds)

  async function findSession(req: Request): Promise<Session | undefined> {
    // A body that cannot be read carries no token; what else it is good for, the route knows.
    const body = await leftBody(req).catch(() => undefined)
    const request = wireRequest(req, '', body)
    const token = protocol.readToken(request)
    if (isOptional && token === undefined) return undefined
    return sessions.authenticate(token, { maxAgeSeconds, appid: protocol.readApp?.(request) })
  }

  return async function checkSession(req: Request, res: Response, next: NextFunction): Promise<void> {
    try {
      const session = await findSession(req)
      if (isAnswered(res)) return
      // A shared cache knows to keep out of what has an Authorization header, but not of a header of our own
      // (RFC 9111, 3.5).
      res.setHeader('Cache-Control', 'no-store')
      if (session) attachSession(req, sessions, session)
      else detachSession(req)
    } catch (error) {
      return sendError(error, protocol, res, next)
    }
    next()
  }
}
