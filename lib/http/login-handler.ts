import type { Request, Response } from 'express'
import { kindOf, WeappError } from '../errors.js'
import { loginGateOf } from '../flows/login-gate.js'
import type { Sessions } from '../flows/sessions.js'
import type { LoginAttempt, ProtocolRoute, WireReply } from '../protocols/protocol.js'
import { readJsonBody } from './json-body.js'
import { type LoginLimitOptions, LoginLimits } from './login-limits.js'
import { proxyFault } from './proxy-trust.js'
import { HttpWireRequest, peerOf } from './wire.js'

/** Handles a route of a protocol. Throws what the route throws, and `ERR_LOGIN_LIMIT`. */
export type RouteHandler = (route: ProtocolRoute, req: Request, res: Response) => Promise<WireReply>

/**
 * Returns what handles the routes of a mount: logins within the limits, and what is refused of them is told.
 * `Sessions` that `createSessions` has not made have neither; asking for limits there is a `TypeError`.
 */
export function createRouteHandler(
  where: string,
  sessions: Sessions,
  limit: false | LoginLimitOptions | undefined,
): RouteHandler {
  const gate = loginGateOf(sessions)
  if (limit !== undefined && limit !== false && (typeof limit !== 'object' || limit === null))
    throw new TypeError(`${where}: limit must be false or an object such as { perAddress: 600 }`)
  if (limit && !gate) throw new TypeError(`${where}: limit needs sessions that createSessions has returned`)
  const limits = gate && limit !== false ? new LoginLimits(`${where}: limit`, limit ?? {}, gate) : undefined
  const toldFaults = new Set<string>()

  function tellProxyFault(req: Request): void {
    const fault = limits && proxyFault(req)
    if (!fault || toldFaults.has(fault)) return
    toldFaults.add(fault)
    gate?.warn(fault)
  }

  async function handle(route: ProtocolRoute, req: Request, res: Response): Promise<WireReply> {
    const body = route.body === 'json' ? await readJsonBody(req, res) : undefined
    return route.handle(sessions, new HttpWireRequest(req, route.path, body))
  }

  async function handleLogin(
    route: ProtocolRoute,
    attemptIn: NonNullable<ProtocolRoute['login']>,
    req: Request,
    res: Response,
  ): Promise<WireReply> {
    // Asked for first: a connection that is closed early has no address any more.
    const peer = peerOf(req)
    let attempt: LoginAttempt | undefined = {}
    let appid: string | undefined
    try {
      const body = route.body === 'json' ? await readJsonBody(req, res) : undefined
      const request = new HttpWireRequest(req, route.path, body, peer)
      attempt = attemptIn(request)
      if (!attempt) return await route.handle(sessions, request)
      appid = gate?.appidOf(attempt)
      if (!limits) return await route.handle(sessions, request)
      tellProxyFault(req)
      const takeBack = await limits.enter({ address: attempt.isFromBackEnd ? undefined : peer, appid }, res)
      return await uncountedUnlessRefused(route.handle(sessions, request), takeBack)
    } catch (error) {
      if (attempt) gate?.tellRefused(error, { appid, peer, mount: `${req.baseUrl ?? ''}${route.path}` })
      throw error
    }
  }

  return (route, req, res) =>
    route.login && gate ? handleLogin(route, route.login, req, res) : handle(route, req, res)
}

/** What has succeeded does not count, nor does what failed through no fault of the client. */
async function uncountedUnlessRefused<T>(login: Promise<T>, takeBack: () => void): Promise<T> {
  try {
    const result = await login
    takeBack()
    return result
  } catch (error) {
    if (!isFaultOfClient(error)) takeBack()
    throw error
  }
}

/** WeChat's word to wait is a 429, too: whoever was told so may come again with the same code. */
function isFaultOfClient(error: unknown): boolean {
  return error instanceof WeappError && error.status < 500 && !kindOf(error.code).codeStillGood
}
