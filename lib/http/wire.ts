import type { NextFunction, Request, Response } from 'express'
import { WeappError } from '../errors.js'
import type { Protocol, WireReply, WireRequest } from '../protocols/protocol.js'

/** How long the rest of a request may still come when it has been answered, in milliseconds. */
const LINGER_MS = 5_000

/** An Express request as a protocol sees it, at a route of that protocol. */
export function wireRequest(req: Request, route: string, body?: unknown): WireRequest {
  return {
    mount: `${route} at ${req.baseUrl}`,
    // Hosts that make up requests may leave the socket out, where Express looks for the address.
    peer: req.socket ? req.ip : undefined,
    method: req.method,
    headers: headersOf(req),
    params: req.params as Record<string, string>,
    query: req.query,
    body,
  }
}

/** Sends what a protocol answered. It speaks of a session, so no cache may keep it (RFC 9111). */
export function sendReply(res: Response, reply: WireReply, lingerMs: number = LINGER_MS): void {
  res.status(reply.status).set({ 'Cache-Control': 'no-store', ...reply.headers })
  endLingering(res, lingerMs)
  if (reply.body === undefined) {
    res.end()
    return
  }
  if (!res.get('Content-Type')) res.set('Content-Type', 'application/json; charset=utf-8')
  res.end(JSON.stringify(reply.body))
}

/**
 * Answers a failure in the protocol's way. A bug is not a failure: it goes to the error handler of the application, and always as an
 * Error, as `next` takes some other values for "go on".
 */
export function sendError(
  error: unknown,
  protocol: Pick<Protocol, 'writeError'>,
  res: Response,
  next: NextFunction,
): void {
  if (!(error instanceof WeappError) || res.headersSent) {
    next(asError(error))
    return
  }
  try {
    sendReply(res, protocol.writeError(error))
  } catch (bug) {
    next(asError(bug))
  }
}

/**
 * What is still to come of a request that has been answered would keep its connection open, however slowly it comes. It has a while, as who
 * sends all before reading would otherwise not hear the answer.
 */
function endLingering(res: Response, lingerMs: number): void {
  const { req } = res
  res.once('finish', () => {
    // Hosts that make up requests have nothing on its way.
    if (req.complete !== false) return
    const end = setTimeout(() => req.destroy(), lingerMs).unref()
    req.once('close', () => clearTimeout(end))
  })
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('something that is not an Error was thrown', { cause: thrown })
}

/** Without a prototype: a stranger chooses the names, and `__proto__` is none that a plain object could hold. */
function headersOf(req: Request): WireRequest['headers'] {
  const headers: Record<string, string[]> = Object.create(null)
  for (const [name, value] of sentHeaders(req)) {
    headers[name] ??= []
    headers[name].push(value)
  }
  return headers
}

/** Hosts that make up requests, such as adapters for cloud functions, fill in `headers` alone. */
function sentHeaders(req: Request): [name: string, value: string][] {
  if (req.rawHeaders.length > 0) return pairsIn(req.rawHeaders)
  return Object.entries(req.headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name.toLowerCase(), value]),
  )
}

function pairsIn(rawHeaders: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2)
    pairs.push([name.toLowerCase(), value])
  }
  return pairs
}
