const DEFAULT_TIMEOUT_MS = 60_000

export interface HttpRequest {
  url: string
  method: string
  headers: Record<string, string>
  body?: string | ArrayBuffer | FormData
  /** Default 60,000, as in WeChat. */
  timeoutMs?: number | undefined
  /** Aborts the request; the message of its reason becomes that of the failure. */
  controller?: AbortController
}

export interface HttpResponse {
  status: number
  headers: Headers
  text: string
  bytes: Uint8Array
}

/** Sends a request from a phone and reads the whole response. Throws an error whose message says why. */
export async function sendRequest(
  device: { readonly offline: boolean },
  { url, method, headers, body, timeoutMs, controller = new AbortController() }: HttpRequest,
): Promise<HttpResponse> {
  if (device.offline) throw new Error('the phone is offline')
  const timer = setTimeout(() => controller.abort(new Error('timeout')), timeoutMs ?? DEFAULT_TIMEOUT_MS)
  timer.unref()
  try {
    const response = await fetch(url, {
      method,
      // The server may have closed a kept-alive connection in the meantime.
      headers: { ...headers, connection: 'close' },
      body: body ?? null,
      signal: controller.signal,
    })
    const bytes = new Uint8Array(await response.arrayBuffer())
    const { status, headers: received } = response
    return { status, headers: received, text: new TextDecoder().decode(bytes), bytes }
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** `fetch` says only "fetch failed"; the reason is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause: NodeJS.ErrnoException | undefined = error.cause instanceof Error ? error.cause : undefined
  return cause?.message || cause?.code || error.message
}
