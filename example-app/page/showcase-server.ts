/** Something that passed from one party to another, without secrets. */
export interface Step {
  from: Party
  to: Party
  text: string
  detail?: string
  ok: boolean
  /** The name of the line that does it: see {@link SourcePlace}. */
  source?: string
  /** Since the request began, in milliseconds. */
  atMs?: number
}

/** Who takes part. */
export type Party = 'phone' | 'app' | 'wechat' | 'store'

/** What a phone got from the app: a response or none, and what happened on the way. */
export interface RequestAnswer {
  answer: { statusCode: number; header: Record<string, string>; data: unknown } | null
  errMsg: string
  trace: Step[]
}

/** What a phone got from WeChat: null while it is down. */
export interface WechatAnswer {
  result: Record<string, unknown> | null
  errMsg: string
}

/** A line of code, or of a document, which a step of the log links to. */
export interface SourcePlace {
  name: string
  /** The number of its file at `/showcase/sources/:file`. */
  file: number
  path: string
  line: number
  /** The language of a document that there is in two. */
  language?: 'en' | 'zh'
}

/** Asks the server of this page: POST with a body, else GET. Rejects when it is away or refuses. */
export async function ask<Answer>(path: string, body?: object, timeoutMs?: number): Promise<Answer> {
  const response = await fetch(path, {
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
    ...(timeoutMs !== undefined && { signal: AbortSignal.timeout(timeoutMs) }),
  })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  return (await response.json()) as Answer
}

/** Why a call of {@link ask} failed, in the words of `wx`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'TimeoutError' ? 'timeout' : error.message
}
