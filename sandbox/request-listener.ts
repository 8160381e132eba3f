import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Call, Calls } from './calls.js'
import { errcodeReply } from './errcodes.js'
import { misbehave } from './misbehave.js'
import type { Misbehaviours } from './misbehaviour.js'
import { isPhonePath, replyToPhone } from './phone-endpoints.js'
import { gatewayPage, type Reply, send } from './reply.js'
import { type ReceivedRequest, readBody } from './request-body.js'
import { SERVER_ENDPOINTS } from './server-endpoints.js'
import type { WeChat } from './wechat.js'

export interface SandboxParts {
  wechat: WeChat
  calls: Calls
  misbehaviours: Misbehaviours
}

/** Reads every request to its end and records it, then responds or misbehaves. */
export function createRequestListener(parts: SandboxParts): RequestListener {
  return (request, response) => {
    // Fails only when the client hangs up.
    receive(parts, request, response).catch(() => response.destroy())
  }
}

async function receive(
  { wechat, calls, misbehaviours }: SandboxParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/' } = request
  const body = await readBody(request)
  const { path, query } = splitTarget(url)
  calls.record({ method, path, query, body: body?.toString('utf8') ?? '', at: wechat.clock() })

  const properReply = (): Reply => replyTo(wechat, { method, path, query, body })
  const failure = SERVER_ENDPOINTS.get(path)?.failure ?? errcodeReply
  const misbehaviour = misbehaviours.take(path)
  if (misbehaviour) misbehave(misbehaviour, response, { properReply, failure })
  else send(response, properReply())
}

function replyTo(wechat: WeChat, request: ReceivedRequest): Reply {
  const endpoint = SERVER_ENDPOINTS.get(request.path)
  if (endpoint) return endpoint.reply(wechat, request)
  return isPhonePath(request.path) ? replyToPhone(wechat, request) : gatewayPage(404, 'Not Found')
}

/** Splits by hand, because a URL parser refuses some of the targets that hostile clients send. */
function splitTarget(target: string): Pick<Call, 'path' | 'query'> {
  const [path = '/', ...search] = target.split('?')
  const parameters = new URLSearchParams(search.join('?'))
  const firstOfEach = [...parameters.keys()].map((name) => [name, parameters.get(name) ?? ''])
  return { path, query: Object.fromEntries(firstOfEach) }
}
