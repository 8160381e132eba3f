import type { ServerResponse } from 'node:http'
import { type Answer, gatewayPage, send, startAnswer, textOf } from './answer.js'
import { errcodeAnswer } from './errcodes.js'
import type { Misbehaviour } from './misbehaviour.js'

type NamedMisbehaviour = Extract<Misbehaviour, string>
type Act = (response: ServerResponse, properAnswer: () => Answer) => void

/** Plays a misbehaviour. The proper answer is only worked out where WeChat has done its work. */
export function misbehave(how: Misbehaviour, response: ServerResponse, properAnswer: () => Answer): void {
  if (typeof how === 'string') ACTS[how](response, properAnswer)
  else if ('errcode' in how) send(response, errcodeAnswer(how.errcode, how.errmsg))
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
  wrongTypes: altering((fields) => ({ ...fields, openid: 42, session_key: null })),
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

function altering(change: (fields: Record<string, unknown>) => Record<string, unknown>): Act {
  return (response, properAnswer) => {
    const answer = properAnswer()
    send(response, typeof answer.body === 'string' ? answer : { ...answer, body: change(answer.body) })
  }
}

function sendLate(response: ServerResponse, answer: Answer, delayMs: number): void {
  const timer = setTimeout(() => send(response, answer), delayMs)
  timer.unref()
  response.once('close', () => clearTimeout(timer))
}
