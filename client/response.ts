/** What the client reads of a response. `data` is a string after an upload and missing after a download. */
export interface HttpResponse {
  statusCode: number
  data?: unknown
  header?: Record<string, string>
}

interface Problem {
  readonly code: string
  readonly detail: string
}

export function isSuccess({ statusCode }: HttpResponse): boolean {
  return statusCode >= 200 && statusCode < 300
}

/** The problem that the server reports; undefined if the response is not one of weapp-session's problems. */
export function problemIn({ data }: HttpResponse): Problem | undefined {
  const { type, code, detail } = Object(typeof data === 'string' ? parsed(data) : data)
  return code && type === `urn:weapp-session:${code}` ? { code, detail } : undefined
}

/** How long a 503 or 429 asks to wait; undefined if it does not say. */
export function retryAfterMsIn({ statusCode, header }: Partial<HttpResponse>): number | undefined {
  if (statusCode !== 503 && statusCode !== 429) return undefined
  const name = Object.keys(Object(header)).find((field) => field.toLowerCase() === 'retry-after')
  const value = name && Object(header)[name]
  if (!value) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return ms >= 0 ? ms : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (_) {
    return undefined
  }
}
