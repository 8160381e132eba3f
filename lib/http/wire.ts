import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextFunction, Request } from 'express'
import { WeappError } from '../errors.js'
import type { Protocol, WireReply, WireRequest } from '../protocols/protocol.js'
import { asError } from './async-handler.js'

/** How long the rest of a request may keep coming after the response, in milliseconds. */
const LINGER_MS = 5_000

/** What Express adds to a request of `node:http` may be missing. */
type HostRequest = IncomingMessage & Partial<Pick<Request, 'baseUrl' | 'ip' | 'params' | 'query'>>

/**
 * A request as a protocol sees it. What a protocol does not look at, such as the query, is not read: guards
 * make one of these for each request.
 */
export class HttpWireRequest implements WireRequest {
  readonly #req: HostRequest
  readonly #path: string
  readonly body: unknown
  #peer: string | undefined
  #headers: WireRequest['headers'] | undefined

  /** At the route of `path`. `peer` is the client's address where it was asked for before. */
  constructor(req: HostRequest, path: string, body?: unknown, peer?: string) {
    this.#req = req
    this.#path = path
    this.body = body
    this.#peer = peer
  }

  get mount(): string {
    return `${this.#req.baseUrl ?? ''}${this.#path}`
  }

  get peer(): string | undefined {
    this.#peer ??= peerOf(this.#req)
    return this.#peer
  }

  get method(): string {
    return this.#req.method ?? ''
  }

  get headers(): WireRequest['headers'] {
    this.#headers ??= headersOf(this.#req)
    return this.#headers
  }

  get params(): WireRequest['params'] {
    return (this.#req.params ?? {}) as Record<string, string>
  }

  get query(): WireRequest['query'] {
    return this.#req.query ?? queryIn(this.#req.url)
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
  res.setHeader('Cache-Control', 'no-store')
  for (const [name, value] of Object.entries(reply.headers ?? {})) res.setHeader(name, value)
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
  // Undefined with hosts that synthesise requests.
  if (req?.complete !== false) return
  res.once('finish', () => {
    if (req.complete) return
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
  const headers: Record<string, string[]> = Object.create(null)
  function add(name: string, value: string): void {
    const known = headers[name]
    if (known) known.push(value)
    else headers[name] = [value]
  }

  const { rawHeaders = [] } = req
  for (let at = 0; at < rawHeaders.length; at += 2)
    add(rawHeaders[at]?.toLowerCase() ?? '', rawHeaders[at + 1] ?? '')
  // Hosts that synthesise requests, such as adapters for cloud functions, may not fill in the raw headers.
  const madeUp = Object.keys(req.headers).filter((name) => headers[name.toLowerCase()] === undefined)
  for (const name of madeUp)
    for (const value of [req.headers[name] ?? []].flat()) add(name.toLowerCase(), String(value))
  return headers
}
