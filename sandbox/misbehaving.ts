import type { ServerResponse } from 'node:http'
import { type Answer, gatewayPage, send, startAnswer, textOf } from './answer.js'
import type { Misbehaviour } from './misbehaviour.js'
import { isObject } from './option-checks.js'

type NamedMisbehaviour = Extract<Misbehaviour, string>
type Act = (response: ServerResponse, properAnswer: () => Answer) => void
type Fields = Record<string, unknown>

/** What the endpoint would answer, and how it says that something is wrong. */
export interface Behaviour {
  properAnswer: () => Answer
  failure: (errcode: number, errmsg?: string) => Answer
}

const WRONG_TYPES: Readonly<Fields> = {
  openid: 42,
  session_key: null,
  access_token: 42,
  expires_in: 'soon',
  phone_info: 'none',
}

/** Plays a misbehaviour. The proper answer is only worked out where WeChat has done its work. */
export function misbehave(
  how: Misbehaviour,
  response: ServerResponse,
  { properAnswer, failure }: Behaviour,
): void {
  if (typeof how === 'string') ACTS[how](response, properAnswer)
  else if ('errcode' in how) send(response, failure(how.errcode, how.errmsg))
  else sendLate(response, properAnswer(), how.slowMs)
}

const ACTS: Readonly<Record<NamedMisbehaviour, Act>> = {
  hang: (_response, properAnswer) => {
    properAnswer()
  },
  drop: (response, properAnswer) => {
    properAnswer()
    response.destroy()
  },
  truncated: (response, properAnswer) => {
    const body = startAnswer(response, properAnswer())
    response.write(body.subarray(0, body.length / 2), () => response.destroy())
  },
  badJson: (response, properAnswer) => {
    const answer = properAnswer()
    const text = textOf(answer)
    send(response, { ...answer, body: text.slice(0, text.length / 2) })
  },
  empty: (response, properAnswer) => {
    send(response, { ...properAnswer(), body: '' })
  },
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
  html: (response) => {
    send(response, gatewayPage(200, 'OK'))
  },
  html502: (response) => {
    send(response, gatewayPage(502, 'Bad Gateway'))
  },
  http500: (response) => {
    send(response, { status: 500, type: 'text/plain', body: 'Internal Server Error' })
  },
  redirect: (response) => {
    send(response, { ...gatewayPage(302, 'Found'), headers: { location: '/redirected' } })
  },
}

function altering(change: (fields: Fields) => Fields): Act {
  return (response, properAnswer) => {
    const answer = properAnswer()
    send(
      response,
      typeof answer.body === 'string' ? answer : { ...answer, body: altered(answer.body, change) },
    )
  }
}

/** Douyin wraps what it answers into `data`. */
function altered(body: Fields, change: (fields: Fields) => Fields): Fields {
  return isObject(body.data) ? { ...body, data: change(body.data) } : change(body)
}

function sendLate(response: ServerResponse, answer: Answer, delayMs: number): void {
  const timer = setTimeout(() => send(response, answer), delayMs)
  timer.unref()
  response.once('close', () => clearTimeout(timer))
}
