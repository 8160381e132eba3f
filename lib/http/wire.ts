import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextFunction, Request } from 'express'
import { WeappError } from '../errors.js'
import type { Protocol, WireReply, WireRequest } from '../protocols/protocol.js'
import { asError } from './async-handler.js'

/** How long the rest of a request may keep coming after the response, in milliseconds. */
const LINGER_MS = 5_000

/** What Express adds to a request of `node:http` may be missing. */
type HostRequest = IncomingMessage & Partial<Pick<Request, 'baseUrl' | 'ip' | 'params' | 'query'>>

/** Returns a request as a protocol sees it, at the route of `path`. */
export function wireRequest(req: HostRequest, path: string, body?: unknown): WireRequest {
  return {
    mount: `${req.baseUrl ?? ''}${path}`,
    peer: peerOf(req),
    method: req.method ?? '',
    headers: headersOf(req),
    params: (req.params ?? {}) as Record<string, string>,
    query: req.query ?? queryIn(req.url),
    body,
  }
}

/** Returns the client's address, where it is known. */
export function peerOf(req: HostRequest): string | undefined {
  // Hosts that synthesise requests may omit the socket, where Express looks for the address.
  return req.socket ? (req.ip ?? req.socket.remoteAddress) : undefined
}

/** Whether a response has begun, such as that of a timeout: then nothing may be sent or passed to `next`. */
export function isResponding(res: ServerResponse): boolean {
  return res.headersSent || res.writableEnded
}

/** Sends the response of a protocol, which no cache may store (RFC 9111). */
export function sendReply(res: ServerResponse, reply: WireReply, lingerMs: number = LINGER_MS): void {
  if (isResponding(res)) return
  res.statusCode = reply.status
  const headers = Object.entries({ 'Cache-Control': 'no-store', ...reply.headers })
  for (const [name, value] of headers) res.setHeader(name, value)
  endLingering(res, lingerMs)
  if (reply.body === undefined) return void res.end()
  if (!res.hasHeader('Content-Type')) res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.end(JSON.stringify(reply.body))
}

/** Sends a failure as the protocol writes it. Any other error is a bug, and goes to the application. */
export function sendError(
  error: unknown,
  protocol: Pick<Protocol, 'writeError'>,
  res: ServerResponse,
  next: NextFunction,
): void {
  if (isResponding(res)) return
  try {
    if (!(error instanceof WeappError)) throw error
    sendReply(res, protocol.writeError(error))
  } catch (bug) {
    next(asError(bug))
  }
}

/**
 * The rest of a request, however slowly it comes, would keep the connection open. It gets a while, because a
 * client that sends everything before it reads would otherwise miss the response.
 */
function endLingering(res: ServerResponse, lingerMs: number): void {
  const { req } = res
  res.once('finish', () => {
    // Undefined with hosts that synthesise requests.
    if (req?.complete !== false) return
    const end = setTimeout(() => req.destroy(), lingerMs).unref()
    req.once('close', () => clearTimeout(end))
  })
}

/** Parses the query as Express does, except for brackets: a repeated name becomes a list. */
function queryIn(url: string = ''): WireRequest['query'] {
  const query: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(url.split('?')[1])) {
    const before = query[name]
    query[name] = before === undefined ? value : [before, value].flat()
  }
  return query
}

/** Without a prototype, as the client chooses the names, and a plain object cannot hold `__proto__`. */
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
