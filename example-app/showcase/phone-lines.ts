import type { Request } from 'express'
import { masked } from './mask.js'
import { type Step, TRACE_HEADER, type Trace, withTrace } from './trace.js'

/** A request of a phone to the app. */
export interface PhoneRequest {
  readonly method: string
  readonly path: string
  readonly header: Readonly<Record<string, string>>
  readonly data?: unknown
}

/** What the phone gets: a response of any status, or none, and what happened on the way. */
export interface PhoneAnswer {
  readonly answer: { statusCode: number; header: Record<string, string>; data: unknown } | null
  readonly errMsg: string
  readonly trace: readonly Step[]
}

const DEADLINE_MS = 20_000

/**
 * Sends a request to the app on behalf of a phone. As in WeChat, it is not the page that talks to the network: it gets every response,
 * a 401 too, as plain data.
 */
export function askApp(req: Request, asked: PhoneRequest): Promise<PhoneAnswer> {
  return withTrace(async (trace) => {
    const text = `${asked.method} ${asked.path.replace(/\?.*/, '')}`
    const route = text.replace(/(?<=\/sessions\/).+/, ':id')
    trace.add({ from: 'phone', to: 'app', text, ok: true, detail: sentOf(asked), source: route })
    try {
      const answer = await fetchOwn(req, asked, trace)
      const detail = masked(answer.data)
      const ok = answer.statusCode < 400
      const source = ok ? `answer ${route}` : (errorCodeIn(answer.data) ?? 'failure')
      trace.add({ from: 'app', to: 'phone', text: String(answer.statusCode), ok, detail, source })
      return { answer, errMsg: 'request:ok', trace: trace.steps }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      trace.add({ from: 'app', to: 'phone', text: 'no answer', ok: false, source: 'ERR_NETWORK' })
      return { answer: null, errMsg: `request:fail ${reason}`, trace: trace.steps }
    }
  })
}

/** Asks WeChat on behalf of a phone, at the endpoint of the sandbox with this name. */
export async function askWechat(sandboxUrl: string, api: string, user: string) {
  try {
    const response = await fetch(`${sandboxUrl}/sandbox/${api}`, {
      method: 'POST',
      body: JSON.stringify({ user }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
    return { result: (await response.json()) as unknown, errMsg: `${api}:ok` }
  } catch {
    return { result: null, errMsg: `${api}:fail WeChat cannot be reached` }
  }
}

async function fetchOwn(req: Request, { method, path, header, data }: PhoneRequest, trace: Trace) {
  const hasBody = data !== undefined && method !== 'GET'
  const response = await fetch(`${ownUrl(req)}${path}`, {
    method,
    headers: { ...header, 'content-type': 'application/json', [TRACE_HEADER]: trace.id },
    signal: AbortSignal.timeout(DEADLINE_MS),
    redirect: 'manual',
    ...(hasBody && { body: JSON.stringify(data) }),
  })
  const text = await response.text()
  return {
    statusCode: response.status,
    header: Object.fromEntries(response.headers),
    data: parsed(text),
  }
}

/** The address at which the page has reached this server works from here, too. */
function ownUrl({ socket: { localAddress = '127.0.0.1', localPort } }: Request): string {
  return `http://${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`
}

function sentOf({ header, data }: PhoneRequest): string | undefined {
  const tokens = Object.keys(header)
    .filter((name) => /session|authorization/i.test(name))
    .map((name) => `${name}: •••`)
  return [...tokens, masked(data)].filter((part) => part !== undefined).join('\n') || undefined
}

function errorCodeIn(data: unknown): string | undefined {
  const { code } = Object(data)
  return typeof code === 'string' && code.startsWith('ERR_') ? code : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
