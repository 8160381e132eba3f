import * as http from 'node:http'
import * as https from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { WeappError } from '../errors.js'
import { objectWithMethods } from '../options.js'
import { reasonOf } from '../reason.js'

const MOST_ANSWER_BYTES = 256 * 1024
const MOST_SOCKETS = 128
const IDLE_SOCKET_MS = 4000

/** A GET to WeChat, or a POST where there is a body. `path` is fixed text; what varies goes into `query`, where it is escaped. */
export interface WechatRequest {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: Readonly<Record<string, unknown>>
  /** When the answer must be there; aborts the request. */
  readonly signal: AbortSignal
}

/** Carries requests to WeChat and tells apart what may be sent again from what may not. */
export interface WechatTransport {
  /**
   * The body of a 200 answer, as text. Throws `ERR_WECHAT_UNREACHABLE` when the request certainly never arrived,
   * `ERR_WECHAT_NO_ANSWER` when it may have, `ERR_WECHAT_ANSWER_INVALID` for any other status, and for an answer that
   * breaks off or is too long.
   */
  send(request: WechatRequest): Promise<string>
  /** Closes all connections but those of an agent that was passed in. */
  close(): void
}

/** Checks an Agent by which `baseUrl` is to be reached, as `node:http` would at the first request; undefined is none. */
export function agentOption(
  where: string,
  agent: http.Agent | undefined,
  baseUrl: URL,
): http.Agent | undefined {
  if (agent === undefined) return undefined
  objectWithMethods(where, agent, ['addRequest', 'destroy'], 'an Agent of node:http or node:https')
  // Agents that decide at each request, as those of proxies do, have no such property of their own.
  const protocol = Object.getOwnPropertyDescriptor(agent, 'protocol')?.value
  if (protocol === undefined || protocol === baseUrl.protocol) return agent
  throw new TypeError(
    `${where} must be an Agent for ${baseUrl.protocol}, as the address it is for, not for ${protocol}`,
  )
}

/**
 * Connects to `baseUrl`, such as `https://api.weixin.qq.com`: by `agent`, which stays the caller's, or with a pool of its own. Redirects are
 * not followed.
 */
export function createTransport(baseUrl: URL, agent?: http.Agent): WechatTransport {
  const { Agent, request } = baseUrl.protocol === 'https:' ? https : http
  const pool = agent ?? new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS, timeout: IDLE_SOCKET_MS })
  const basePath = baseUrl.pathname.replace(/\/$/, '')

  function send({ path, query = {}, body, signal }: WechatRequest): Promise<string> {
    return new Promise((resolve, reject) => {
      let isConnected = false
      const url = new URL(`${basePath}${path}?${new URLSearchParams(query)}`, baseUrl)
      const payload = body && Buffer.from(JSON.stringify(body))
      const outgoing = request(url, {
        agent: pool,
        signal,
        method: payload ? 'POST' : 'GET',
        headers: { accept: 'application/json', ...(payload && jsonHeaders(payload)) },
      })
      outgoing.on('socket', (socket) => {
        const established = () => {
          isConnected = true
        }
        if (isEstablished(socket)) established()
        else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', established)
      })
      outgoing.on('error', (error) => reject(isConnected ? brokenOff(error) : unreachable(baseUrl, error)))
      // Node tells of a 101 in no other way.
      outgoing.on('upgrade', (_incoming, socket) => {
        socket.destroy()
        reject(invalidAnswer('HTTP status 101'))
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

/** Whether a request may have left already. Inside of a proxy's tunnel a socket is connected long before its TLS is. */
function isEstablished(socket: Socket & { readonly secureConnecting?: boolean }): boolean {
  return !socket.connecting && !socket.secureConnecting
}

/** With its length, as WeChat's gateways have not always understood chunks. */
function jsonHeaders(payload: Buffer): Record<string, string | number> {
  return { 'content-type': 'application/json', 'content-length': payload.length }
}

/** The causes stay behind: an error of node:http may name the address, and the address holds the AppSecret. */
async function readBody(incoming: http.IncomingMessage): Promise<string> {
  if (incoming.statusCode !== 200) {
    incoming.destroy()
    throw invalidAnswer(`HTTP status ${incoming.statusCode}`)
  }
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MOST_ANSWER_BYTES) break
      chunks.push(chunk)
    }
  } catch {
    throw invalidAnswer('an answer that broke off')
  }
  if (size > MOST_ANSWER_BYTES) throw invalidAnswer('an answer that is too long')
  return Buffer.concat(chunks).toString('utf8')
}

/** WeChat, or something in between, answered what is not its API. `what` goes to the operator's log. */
export function invalidAnswer(what: string): WeappError {
  return new WeappError('ERR_WECHAT_ANSWER_INVALID', 'WeChat gave an answer that cannot be used.', {
    hint: `WeChat gave ${what}`,
  })
}

function unreachable({ host }: URL, error: Error): WeappError {
  return new WeappError(
    'ERR_WECHAT_UNREACHABLE',
    'WeChat cannot be reached at the moment. Please try again.',
    {
      hint: `no connection to WeChat at ${host} could be made: ${whyNot(error)}`,
    },
  )
}

/** Bytes that are no HTTP are an answer of a kind; anything else is none. */
function brokenOff(error: NodeJS.ErrnoException): WeappError {
  return error.code?.startsWith('HPE_') ? invalidAnswer('an answer that is not HTTP') : noAnswer(error)
}

function noAnswer(error: Error): WeappError {
  return new WeappError('ERR_WECHAT_NO_ANSWER', 'WeChat did not answer. Please try again with a new code.', {
    hint: `WeChat was reached but did not answer: ${whyNot(error)}`,
  })
}

function whyNot(error: Error): string {
  return error.name === 'AbortError' ? 'it took too long' : reasonOf(error)
}
