import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextFunction, Request } from 'express'
import { WeappError } from '../errors.js'
import type { Protocol, WireReply, WireRequest } from '../protocols/protocol.js'
import { asError } from './async-handler.js'

/** How long the rest of a request may keep coming after the response, in milliseconds. */
const LINGER_MS = 5_000

/** Only what `node:http` promises is required of a request; what Express adds may be missing. */
type HostRequest = IncomingMessage & Partial<Pick<Request, 'baseUrl' | 'ip' | 'params' | 'query'>>

/** Returns a request as a protocol sees it, at a route with this path. */
export function wireRequest(req: HostRequest, path: string, body?: unknown): WireRequest {
  return {
    mount: `${req.baseUrl ?? ''}${path}`,
    // Hosts that synthesise requests may omit the socket, where Express looks for the address.
    peer: req.socket ? (req.ip ?? req.socket.remoteAddress) : undefined,
    method: req.method ?? '',
    headers: headersOf(req),
    params: (req.params ?? {}) as Record<string, string>,
    query: req.query ?? queryIn(req.url),
    body,
  }
}

/**
 * Whether somebody else, such as a timeout, has begun to respond: then there is nothing left to say, not even
 * to `next`.
 */
export function isAnswered(res: ServerResponse): boolean {
  return res.headersSent || res.writableEnded
}

/** Sends the response of a protocol. It is about a session, so no cache may keep it (RFC 9111). */
export function sendReply(res: ServerResponse, reply: WireReply, lingerMs: number = LINGER_MS): void {
  if (isAnswered(res)) return
  res.statusCode = reply.status
  const headers = Object.entries({ 'Cache-Control': 'no-store', ...reply.headers })
  for (const [name, value] of headers) res.setHeader(name, value)
  endLingering(res, lingerMs)
  if (reply.body === undefined) {
    res.end()
    return
  }
  if (!res.hasHeader('Content-Type')) res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.end(JSON.stringify(reply.body))
}

/**
 * Sends a failure as the protocol writes it. A bug is not a failure: it goes to the error handler of the
 * application, and always as an Error, because `next` takes some other values for "go on".
 */
export function sendError(
  error: unknown,
  protocol: Pick<Protocol, 'writeError'>,
  res: ServerResponse,
  next: NextFunction,
): void {
  if (isAnswered(res)) return
  if (!(error instanceof WeappError)) {
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
 * The rest of a request that has its response would keep the connection open, however slowly it comes. It
 * gets a while, because a client that sends everything before it reads would otherwise miss the response.
 */
function endLingering(res: ServerResponse, lingerMs: number): void {
  const { req } = res
  res.once('finish', () => {
    // Hosts that synthesise requests have nothing on its way.
    if (req?.complete !== false) return
    const end = setTimeout(() => req.destroy(), lingerMs).unref()
    req.once('close', () => clearTimeout(end))
  })
}

/** Returns the query as Express parses it, except for brackets: a repeated name is a list. */
function queryIn(url: string = ''): WireRequest['query'] {
  const query: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(url.split('?')[1])) {
    const before = query[name]
    query[name] = before === undefined ? value : [before, value].flat()
  }
  return query
}

/** Without a prototype: a stranger chooses the names, and a plain object cannot hold `__proto__`. */
function headersOf(req: IncomingMessage): WireRequest['headers'] {
  const sent = pairsIn(req.rawHeaders ?? [])
  const sentNames = new Set(sent.map(([name]) => name))
  // Hosts that synthesise requests, such as adapters for cloud functions, may not fill in the raw headers.
  const madeUp = madeUpHeaders(req).filter(([name]) => !sentNames.has(name))
  const headers: Record<string, string[]> = Object.create(null)
  for (const [name, value] of [...sent, ...madeUp]) {
    headers[name] ??= []
    headers[name].push(value)
  }
  return headers
}

function madeUpHeaders(req: IncomingMessage): [name: string, value: string][] {
  return Object.entries(req.headers).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name.toLowerCase(), String(value)]),
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
