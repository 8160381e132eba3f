import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { urlToHttpOptions } from 'node:url'
import { WeappError } from '../errors.js'
import { objectWithMethods } from '../options.js'
import { reasonOf } from '../reason.js'
import { revealed, type Secret } from '../secret.js'
import { DEFAULT_CONCURRENT_CALLS } from './call-slots.js'
import { sharedLookups } from './shared-lookups.js'

const MOST_BODY_BYTES = 256 * 1024
const IDLE_SOCKET_MS = 4000
/**
 * Proxy Authentication Required, Request Timeout and Too Many Requests: statuses of 4xx that say something of
 * the host, or of the way to it.
 */
const OF_HOST: readonly number[] = [407, 408, 429]

/** A GET to WeChat, or a POST if there is a body. `path` is constant; what varies goes into `query`. */
export interface WechatRequest {
  readonly path: string
  readonly query?: Readonly<Record<string, string | Secret>>
  /** Sent as JSON. Secrets are fields of it, not deeper. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal
}

/** Sends requests to WeChat. Its errors say whether a request may be sent again. */
export interface WechatTransport {
  /**
   * Returns the body of a 200 response. Throws `ERR_WECHAT_UNREACHABLE` when the request certainly never
   * arrived, `ERR_WECHAT_NO_ANSWER` when it may have, and `ERR_WECHAT_ANSWER_INVALID` for any other status
   * and for a response that breaks off or is too long.
   */
  send(request: WechatRequest): Promise<string>
  /** Closes all connections except those of an agent that was passed in. */
  close(): void
}

/** Checks an Agent for `baseUrl` as `node:http` would at the first request. */
export function agentOption(
  where: string,
  agent: http.Agent | undefined,
  baseUrl: URL,
): http.Agent | undefined {
  if (agent === undefined) return undefined
  objectWithMethods(where, agent, ['addRequest', 'destroy'], 'an Agent of node:http or node:https')
  // An Agent that decides for each request, as that of a proxy does, has no such property of its own.
  const protocol = Object.getOwnPropertyDescriptor(agent, 'protocol')?.value
  if (protocol === undefined || protocol === baseUrl.protocol) return agent
  throw new TypeError(
    `${where} must be an Agent for ${baseUrl.protocol}, like the base URL, not for ${protocol}`,
  )
}

/** Connects to `baseUrl` through `agent`, or through a pool of its own. Redirects are not followed. */
export function createTransport(
  baseUrl: URL,
  agent?: http.Agent,
  maxSockets: number = DEFAULT_CONCURRENT_CALLS,
): WechatTransport {
  const isSecure = baseUrl.protocol === 'https:'
  const { Agent, request } = isSecure ? https : http
  // An Agent with a lookup of its own, or that of a proxy, does not ask this one.
  const lookup = isSecure ? sharedLookups.orKept : sharedLookups.fresh
  const pool = agent ?? new Agent({ keepAlive: true, maxSockets, timeout: IDLE_SOCKET_MS })
  const basePath = baseUrl.pathname.replace(/\/$/, '')
  const { protocol, hostname, port, auth } = urlToHttpOptions(baseUrl)
  const target = { agent: pool, protocol, hostname, port, auth }

  function send({ path, query = {}, body, signal }: WechatRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      let isConnected = false
      const payload = body && Buffer.from(JSON.stringify(revealed(body)))
      const outgoing = request({
        ...target,
        lookup,
        path: `${basePath}${path}?${new URLSearchParams(revealed(query))}`,
        method: payload ? 'POST' : 'GET',
        headers: { accept: 'application/json', ...(payload && jsonHeaders(payload)) },
      })
      const giveUp = () => {
        const reason = new GaveUp()
        outgoing.destroy(reason)
        // Node tells of it only when an Agent has found a connection, or a proxy has opened its tunnel.
        if (!outgoing.socket) reject(unreachable(baseUrl, reason))
      }
      // Not by the option `signal`, which watches the request by a dozen listeners.
      if (signal.aborted) giveUp()
      else signal.addEventListener('abort', giveUp)
      outgoing.once('close', () => signal.removeEventListener('abort', giveUp))
      outgoing.on('socket', (socket) => {
        const established = () => {
          isConnected = true
        }
        if (isEstablished(socket)) established()
        else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', established)
      })
      outgoing.on('error', (error) => reject(isConnected ? brokenOff(error) : unreachable(baseUrl, error)))
      // Node reports a 101 in no other way.
      outgoing.on('upgrade', (_incoming, socket) => {
        socket.destroy()
        reject(invalidResponse('HTTP status 101'))
      })
      // https-proxy-agent passes on what its proxy answered, as if WeChat had.
      outgoing.on('proxyConnect', ({ statusCode }) => {
        if (statusCode !== 200) reject(unreachable(baseUrl, new RefusedByProxy(statusCode)))
      })
      outgoing.on('response', (incoming) => readBody(incoming).then(resolve, reject))
      outgoing.end(payload)
    })
  }

  return {
    send,
    close() {
      if (!agent) pool.destroy()
    },
  }
}

/**
 * Whether a request may have been sent. A socket for which no descriptor is left is destroyed at once, and in
 * a proxy's tunnel a socket is connected long before its TLS is.
 */
function isEstablished(socket: Socket & { readonly secureConnecting?: boolean }): boolean {
  return !socket.destroyed && !socket.connecting && !socket.secureConnecting
}

/** With a length, as WeChat's gateways have not always understood chunks. */
function jsonHeaders(payload: Buffer): Record<string, string | number> {
  return { 'content-type': 'application/json', 'content-length': payload.length }
}

/** Drops the causes: an error of node:http may name the URL, and the URL holds the AppSecret. */
function readBody(incoming: http.IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const refuse = (error: WeappError) => {
      reject(error)
      incoming.destroy()
    }
    const breakOff = () => reject(invalidResponse('a response that broke off'))
    incoming.on('error', breakOff)
    incoming.once('close', () => incoming.complete || breakOff())
    if (incoming.statusCode !== 200) return refuse(wrongStatus(incoming.statusCode))
    const chunks: Buffer[] = []
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MOST_BODY_BYTES) refuse(invalidResponse('a response that is too long'))
      else chunks.push(chunk)
    })
    incoming.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
  })
}

/** Says nothing against the host: its gateway is there, and does not like this one request. */
export class RequestTurnedAway extends WeappError {}

function wrongStatus(status = 0): WeappError {
  const error = invalidResponse(`HTTP status ${status}`)
  const isOfRequest = status >= 400 && status < 500 && !OF_HOST.includes(status)
  return isOfRequest ? new RequestTurnedAway(error.code, error.message, { hint: `${error.hint}` }) : error
}

/** What WeChat's API would never return. `what` is for the operator's log. */
export function invalidResponse(what: string): WeappError {
  return new WeappError('ERR_WECHAT_ANSWER_INVALID', 'WeChat returned an invalid response.', {
    hint: `WeChat returned ${what}`,
  })
}

function unreachable({ host }: URL, error: Error): WeappError {
  return new WeappError('ERR_WECHAT_UNREACHABLE', 'WeChat is unreachable at the moment. Please try again.', {
    hint: `could not connect to WeChat at ${host}: ${whyNot(error)}`,
  })
}

/** Bytes that are not HTTP are an invalid response; any other error means that none came. */
function brokenOff(error: NodeJS.ErrnoException): WeappError {
  return error.code?.startsWith('HPE_') ? invalidResponse('a response that is not HTTP') : noAnswer(error)
}

function noAnswer(error: Error): WeappError {
  return new WeappError('ERR_WECHAT_NO_ANSWER', 'WeChat did not respond. Please try again with a new code.', {
    hint: `WeChat was reached but did not respond: ${whyNot(error)}`,
  })
}

function whyNot(error: Error): string {
  if (error instanceof RefusedByProxy) return error.message
  return error instanceof GaveUp ? 'it took too long' : reasonOf(error)
}

/** Why a proxy has not passed a request on. */
class RefusedByProxy extends Error {
  constructor(status: number) {
    super(`the proxy answered HTTP status ${status}`)
  }
}

/** Ends a request whose signal has aborted. */
class GaveUp extends Error {}
