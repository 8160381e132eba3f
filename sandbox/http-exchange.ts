export interface Exchange {
  url: string
  method: string
  headers: Record<string, string>
  body?: string | ArrayBuffer | FormData | undefined
  timeoutMs: number
  /** Breaks the exchange off, with the reason it is told. */
  breakOff?: AbortController
}

export interface Exchanged {
  status: number
  headers: Headers
  text: string
  bytes: Uint8Array
}

/** One HTTP request and its whole answer. What fails, fails with an Error whose message says why. */
export async function exchange(asked: Exchange): Promise<Exchanged> {
  const { url, method, headers, body = null, timeoutMs, breakOff = new AbortController() } = asked
  const timer = setTimeout(() => breakOff.abort(new Error('timeout')), timeoutMs)
  timer.unref()
  try {
    const response = await fetch(url, {
      method,
      // A kept connection could be one which the server has closed in the meantime.
      headers: { ...headers, connection: 'close' },
      body,
      signal: breakOff.signal,
    })
    const bytes = new Uint8Array(await response.arrayBuffer())
    return {
      status: response.status,
      headers: response.headers,
      text: new TextDecoder().decode(bytes),
      bytes,
    }
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** `fetch` says only "fetch failed" and puts what happened into the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause: NodeJS.ErrnoException | undefined = error.cause instanceof Error ? error.cause : undefined
  return cause?.message || cause?.code || error.message
}
