import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextFunction, Request } from 'express'
import { WeappError } from '../errors.js'
import type { Protocol, WireReply, WireRequest } from '../protocols/protocol.js'
import { asError } from './async-handler.js'

/** How long the rest of a request may still come when it has been answered, in milliseconds. */
const LINGER_MS = 5_000

/** Of a request no more is asked than `node:http` promises; what Express adds may be missing. */
type HostRequest = IncomingMessage & Partial<Pick<Request, 'baseUrl' | 'ip' | 'params' | 'query'>>

/** Returns a request as a protocol sees it, at a route with this path. */
export function wireRequest(req: HostRequest, path: string, body?: unknown): WireRequest {
  return {
    mount: `${req.baseUrl ?? ''}${path}`,
    // Hosts that make up requests may leave the socket out, where Express looks for the address.
    peer: req.socket ? (req.ip ?? req.socket.remoteAddress) : undefined,
    method: req.method ?? '',
    headers: headersOf(req),
    params: (req.params ?? {}) as Record<string, string>,
    query: req.query ?? queryIn(req.url),
    body,
  }
}

/** Whether somebody else, such as a timeout, has begun to answer: then there is nothing left to say, not even to `next`. */
export function isAnswered(res: ServerResponse): boolean {
  return res.headersSent || res.writableEnded
}

/** Sends what a protocol answered. It speaks of a session, so no cache may keep it (RFC 9111). */
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
 * Answers a failure in the protocol's way. A bug is not a failure: it goes to the error handler of the application, and always as an
 * Error, as `next` takes some other values for "go on".
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
 * What is still to come of a request that has been answered would keep its connection open, however slowly it comes. It has a while, as who
 * sends all before reading would otherwise not hear the answer.
 */
function endLingering(res: ServerResponse, lingerMs: number): void {
  const { req } = res
  res.once('finish', () => {
    // Hosts that make up requests have nothing on its way.
    if (req?.complete !== false) return
    const end = setTimeout(() => req.destroy(), lingerMs).unref()
    req.once('close', () => clearTimeout(end))
  })
}

/** The query as Express reads it, but for brackets: a name that comes twice is a list. */
function queryIn(url: string = ''): WireRequest['query'] {
  const query: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(url.split('?')[1])) {
    const before = query[name]
    query[name] = before === undefined ? value : [before, value].flat()
  }
  return query
}

/** Without a prototype: a stranger chooses the names, and `__proto__` is none that a plain object could hold. */
function headersOf(req: IncomingMessage): WireRequest['headers'] {
  const sent = pairsIn(req.rawHeaders ?? [])
  const sentNames = new Set(sent.map(([name]) => name))
  // Hosts that make up requests, such as adapters for cloud functions, fill in `headers`, and the raw ones in part or not at all.
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
