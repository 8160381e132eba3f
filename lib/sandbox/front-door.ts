import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type Answer, gatewayPage, send } from './answer.js'
import type { Call, Calls } from './calls.js'
import { CODE2SESSION_PATH, code2Session } from './code2session.js'
import { misbehave } from './misbehaving.js'
import type { Misbehaviours } from './misbehaviour.js'
import { answerPhone, isPhonePath } from './phone-endpoints.js'
import { readBody } from './request-body.js'
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
  door.calls.record({ method, path, query, at: door.clock() })

  const properAnswer = (): Answer => {
    if (path === CODE2SESSION_PATH) return code2Session(door.wechat, query)
    if (isPhonePath(path)) return answerPhone(door.wechat, method, path, body)
    return gatewayPage(404, 'Not Found')
  }
  const misbehaviour = door.misbehaviours.take(path)
  if (misbehaviour) misbehave(misbehaviour, response, properAnswer)
  else send(response, properAnswer())
}

/** Splits by hand, because a URL parser refuses some of the targets that hostile clients send. */
function splitTarget(target: string): Pick<Call, 'path' | 'query'> {
  const [path = '/', ...search] = target.split('?')
  const parameters = new URLSearchParams(search.join('?'))
  const firstOfEach = [...parameters.keys()].map((name) => [name, parameters.get(name) ?? ''])
  return { path, query: Object.fromEntries(firstOfEach) }
}
