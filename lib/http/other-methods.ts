import type { RequestHandler, Router } from 'express'
import { WeappError } from '../errors.js'
import type { Protocol, ProtocolRoute } from '../protocols/protocol.js'
import { sendError, sendReply } from './wire.js'

interface Mounted extends Pick<Protocol, 'writeError'> {
  readonly routes: readonly Pick<ProtocolRoute, 'method' | 'path'>[]
}

/**
 * Handles methods without a route at a path of the protocol, with `Allow`: OPTIONS with 204, others with
 * `ERR_METHOD_NOT_ALLOWED`. Call it after the routes are mounted.
 */
export function handleOtherMethods(router: Router, protocol: Mounted): void {
  for (const [path, methods] of methodsByPath(protocol.routes))
    if (!methods.includes('all')) router.all(path, refusal(methods, protocol))
}

function refusal(methods: readonly ProtocolRoute['method'][], protocol: Mounted): RequestHandler {
  const allow = methods.map((method) => (method === 'get' ? 'GET, HEAD' : method.toUpperCase())).join(', ')
  return function handleOtherMethod(req, res, next) {
    res.setHeader('Allow', allow)
    if (req.method === 'OPTIONS') sendReply(res, { status: 204 })
    else sendError(notAllowed(req.method, allow), protocol, res, next)
  }
}

function notAllowed(method: string, allow: string): WeappError {
  return new WeappError('ERR_METHOD_NOT_ALLOWED', `This path does not support ${method}, only ${allow}.`)
}

function methodsByPath(routes: Mounted['routes']): Map<string, ProtocolRoute['method'][]> {
  const methods = new Map<string, ProtocolRoute['method'][]>()
  for (const { method, path } of routes) methods.set(path, [...(methods.get(path) ?? []), method])
  return methods
}
