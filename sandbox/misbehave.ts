import type { ServerResponse } from 'node:http'
import type { Misbehaviour } from './misbehaviour.js'
import { isObject } from './option-checks.js'
import { bodyText, gatewayPage, type Reply, send, writeHead } from './reply.js'

type NamedMisbehaviour = Extract<Misbehaviour, string>
type Act = (response: ServerResponse, properReply: () => Reply) => void
type Fields = Record<string, unknown>

/** What the endpoint would send, and how it reports an error. */
export interface Behaviour {
  properReply: () => Reply
  failure: (errcode: number, errmsg?: string) => Reply
}

const WRONG_TYPES: Readonly<Fields> = {
  openid: 42,
  session_key: null,
  access_token: 42,
  expires_in: 'soon',
  phone_info: 'none',
}

/** Plays a misbehaviour. The proper reply uses up a code, so it is made only where WeChat does its work. */
export function misbehave(how: Misbehaviour, response: ServerResponse, behaviour: Behaviour): void {
  const { properReply, failure } = behaviour
  if (typeof how === 'string') ACTS[how](response, properReply)
  else if ('errcode' in how) send(response, failure(how.errcode, how.errmsg))
  else sendLate(response, properReply(), how.slowMs)
}

const ACTS: Readonly<Record<NamedMisbehaviour, Act>> = {
  hang: (_response, properReply) => void properReply(),
  drop: (response, properReply) => {
    properReply()
    response.destroy()
  },
  truncated: (response, properReply) => {
    const body = writeHead(response, properReply())
    response.write(body.subarray(0, body.length / 2), () => response.destroy())
  },
  badJson: (response, properReply) => {
    const reply = properReply()
    const text = bodyText(reply)
    send(response, { ...reply, body: text.slice(0, text.length / 2) })
  },
  empty: (response, properReply) => send(response, { ...properReply(), body: '' }),
  extraFields: altering((fields) => ({
    ...fields,
    errcode: 0,
    errmsg: 'ok',
    expires_in: 7200,
    unheard_of: { since: 'today' },
  })),
  missingOpenid: altering(({ openid: _, ...others }) => others),
  missingSessionKey: altering(({ session_key: _, ...others }) => others),
  wrongTypes: altering((fields) => {
    const present = Object.entries(WRONG_TYPES).filter(([name]) => Object.hasOwn(fields, name))
    return { ...fields, ...Object.fromEntries(present) }
  }),
  html: (response) => send(response, gatewayPage(200, 'OK')),
  html502: (response) => send(response, gatewayPage(502, 'Bad Gateway')),
  http500: (response) => send(response, { status: 500, type: 'text/plain', body: 'Internal Server Error' }),
  redirect: (response) =>
    send(response, { ...gatewayPage(302, 'Found'), headers: { location: '/redirected' } }),
}

function altering(change: (fields: Fields) => Fields): Act {
  return (response, properReply) => {
    const reply = properReply()
    send(response, typeof reply.body === 'string' ? reply : { ...reply, body: altered(reply.body, change) })
  }
}

/** Douyin puts its results into `data`. */
function altered(body: Fields, change: (fields: Fields) => Fields): Fields {
  return isObject(body.data) ? { ...body, data: change(body.data) } : change(body)
}

function sendLate(response: ServerResponse, reply: Reply, delayMs: number): void {
  const timer = setTimeout(() => send(response, reply), delayMs)
  timer.unref()
  response.once('close', () => clearTimeout(timer))
}
