import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'

/** Who takes part in a login. */
export type Party = 'phone' | 'app' | 'wechat' | 'store'

/** Something that passed from one party to another, without secrets. */
export interface Step {
  readonly from: Party
  readonly to: Party
  readonly text: string
  readonly detail?: string | undefined
  readonly ok: boolean
  /** The name of the line that does it, in `sources.ts`. */
  readonly source?: string | undefined
  /** Since the request began, in milliseconds. */
  readonly atMs: number
}

/** The header that tells the app which trace a request of the page belongs to. */
export const TRACE_HEADER = 'x-showcase-trace'

/** What happened during one request of the page. */
export class Trace {
  readonly id: string = randomUUID()
  readonly steps: Step[] = []
  readonly #startedAt = performance.now()

  add(step: Omit<Step, 'atMs'>): void {
    this.steps.push({ ...step, atMs: Math.round(performance.now() - this.#startedAt) })
  }
}

const open = new Map<string, Trace>()
const current = new AsyncLocalStorage<Trace>()

/** The trace of the request that is being handled; undefined for requests that the page has not made. */
export function currentTrace(): Trace | undefined {
  return current.getStore()
}

/** Runs `work` with a new trace. Requests with its id in {@link TRACE_HEADER} add their steps to it. */
export async function withTrace<Result>(work: (trace: Trace) => Promise<Result>): Promise<Result> {
  const trace = new Trace()
  open.set(trace.id, trace)
  try {
    return await work(trace)
  } finally {
    open.delete(trace.id)
  }
}

/** Middleware, to be mounted before everything that is to be traced. */
export const traceRequests: RequestHandler = (req, _res, next) => {
  const trace = open.get(req.get(TRACE_HEADER) ?? '')
  if (trace) current.run(trace, next)
  else next()
}

/** What passes in the exchange of a code, by name: the phone never sees any of it. */
const CODE_EXCHANGE = {
  path: '/sns/jscode2session',
  asked: 'appid, secret •••, js_code •••',
  answered: 'openid •••, session_key •••',
}

/** Traces what the app asks WeChat from now on. Returns a function that ends this. */
export function traceWechat(url: string): () => void {
  const { host } = new URL(url)
  const isWechat = (request: ClientRequest) => request.getHeader('host') === host
  const pathOf = (request: ClientRequest) => request.path.replace(/\?.*/, '')

  const asked = (message: unknown) => {
    const { request } = message as { request: ClientRequest }
    if (!isWechat(request)) return
    const path = pathOf(request)
    const text = `${request.method} ${path}`
    const detail = path === CODE_EXCHANGE.path ? CODE_EXCHANGE.asked : undefined
    currentTrace()?.add({ from: 'app', to: 'wechat', text, ok: true, detail, source: text })
  }
  const answered = (message: unknown) => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage }
    if (!isWechat(request)) return
    const status = response.statusCode ?? 0
    const ok = status === 200
    const path = pathOf(request)
    const detail = ok && path === CODE_EXCHANGE.path ? CODE_EXCHANGE.answered : undefined
    const source = `answer ${request.method} ${path}`
    currentTrace()?.add({ from: 'wechat', to: 'app', text: String(status), ok, detail, source })
  }
  subscribe('http.client.request.start', asked)
  subscribe('http.client.response.finish', answered)
  return () => {
    unsubscribe('http.client.request.start', asked)
    unsubscribe('http.client.response.finish', answered)
  }
}
