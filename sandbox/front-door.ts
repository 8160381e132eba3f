import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type Answer, gatewayPage, send } from './answer.js'
import type { Call, Calls } from './calls.js'
import { errcodeAnswer } from './errcodes.js'
import { misbehave } from './misbehaving.js'
import type { Misbehaviours } from './misbehaviour.js'
import { answerPhone, isPhonePath } from './phone-endpoints.js'
import { type ReceivedRequest, readBody } from './request-body.js'
import { SERVER_ENDPOINTS } from './server-endpoints.js'
import type { WeChat } from './wechat.js'

export interface FrontDoor {
  wechat: WeChat
  calls: Calls
  misbehaviours: Misbehaviours
  clock: () => number
}

/** Lets every request in: reads it to its end, writes it down, then answers or misbehaves. */
export function openFrontDoor(door: FrontDoor): RequestListener {
  return (request, response) => {
    // A client that goes away while it is read or answered is its own trouble, not the sandbox's.
    receive(door, request, response).catch(() => response.destroy())
  }
}

async function receive(door: FrontDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = request
  const body = await readBody(request)
  const { path, query } = splitTarget(url)
  door.calls.record({ method, path, query, body: body?.toString('utf8') ?? '', at: door.clock() })

  const properAnswer = (): Answer => answerTo(door.wechat, { method, path, query, body })
  const failure = SERVER_ENDPOINTS.get(path)?.failure ?? errcodeAnswer
  const misbehaviour = door.misbehaviours.take(path)
  if (misbehaviour) misbehave(misbehaviour, response, { properAnswer, failure })
  else send(response, properAnswer())
}

function answerTo(wechat: WeChat, request: ReceivedRequest): Answer {
  const endpoint = SERVER_ENDPOINTS.get(request.path)
  if (endpoint) return endpoint.answer(wechat, request)
  return isPhonePath(request.path) ? answerPhone(wechat, request) : gatewayPage(404, 'Not Found')
}

/** Splits by hand, because a URL parser refuses some of the targets that hostile clients send. */
function splitTarget(target: string): Pick<Call, 'path' | 'query'> {
  const [path = '/', ...search] = target.split('?')
  const parameters = new URLSearchParams(search.join('?'))
  const firstOfEach = [...parameters.keys()].map((name) => [name, parameters.get(name) ?? ''])
  return { path, query: Object.fromEntries(firstOfEach) }
}
